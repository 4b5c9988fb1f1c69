import { boundFindings } from "../diagnostics/bound-findings.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { checkDestinationRules } from "./check-destination-rules.ts";
import { checkDestinations } from "./check-destinations.ts";
import { checkEndpointWeights } from "./check-endpoint-weights.ts";
import { checkGateways } from "./check-gateways.ts";
import { checkLocalEndpoints } from "./check-local-endpoints.ts";
import { checkRuleOrder } from "./check-rule-order.ts";
import { checkShadowing } from "./check-shadowing.ts";
import { checkVirtualServiceHosts } from "./check-virtual-service-hosts.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Findings that need more than one manifest to see, with Istio's codes where Istio has the same finding. At most a
 * hundred of each level for one file.
 */
export function checkMesh(mesh: Mesh): readonly Diagnostic[] {
  const findings = [
    ...checkGateways(mesh),
    ...checkVirtualServiceHosts(mesh),
    ...checkDestinations(mesh),
    ...checkRuleOrder(mesh),
    ...checkShadowing(mesh),
    ...checkDestinationRules(mesh),
    ...checkLocalEndpoints(mesh),
    ...checkEndpointWeights(mesh),
  ];
  return boundFindings(findings, "of how its objects fit together");
}
