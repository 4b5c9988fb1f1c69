import { boundFindings } from "../diagnostics/bound-findings.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { checkCertificateReach } from "./check-certificate-reach.ts";
import { checkClaimRouting } from "./check-claim-routing.ts";
import { checkConnectionRules } from "./check-connection-rules.ts";
import { checkDelegates } from "./check-delegates.ts";
import { checkDestinationRules } from "./check-destination-rules.ts";
import { checkDestinations } from "./check-destinations.ts";
import { checkEndpointWeights } from "./check-endpoint-weights.ts";
import { checkEntryAddresses } from "./check-entry-addresses.ts";
import { checkEntryProtocols } from "./check-entry-protocols.ts";
import { checkFallbackHosts } from "./check-fallback-hosts.ts";
import { checkGatewayPorts } from "./check-gateway-ports.ts";
import { checkGatewaySecrets } from "./check-gateway-secrets.ts";
import { checkGateways } from "./check-gateways.ts";
import { checkHostCase } from "./check-host-case.ts";
import { checkIngressSubsets } from "./check-ingress-subsets.ts";
import { checkLocalEndpoints } from "./check-local-endpoints.ts";
import { checkMeshHosts } from "./check-mesh-hosts.ts";
import { checkPathBoundaries } from "./check-path-boundaries.ts";
import { checkPolicies } from "./check-policies.ts";
import { checkPortNames } from "./check-port-names.ts";
import { checkRuleMerging } from "./check-rule-merging.ts";
import { checkRuleOrder } from "./check-rule-order.ts";
import { checkServerVerification } from "./check-server-verification.ts";
import { checkShadowing } from "./check-shadowing.ts";
import { checkSharedCertificates } from "./check-shared-certificates.ts";
import { checkSidecars } from "./check-sidecars.ts";
import { checkSingleWeights } from "./check-single-weights.ts";
import { checkSubsets } from "./check-subsets.ts";
import { checkVirtualServiceGateways } from "./check-virtual-service-gateways.ts";
import { checkWorkloadServices } from "./check-workload-services.ts";
import { RuleClients } from "./destination-reference.ts";
import { GatewayPods } from "./gateway-pods.ts";
import type { Mesh } from "./mesh.ts";
import { listPods, PodIndex } from "./pods.ts";
import { SecretDirectory } from "./secret-directory.ts";
import { ServiceDirectory } from "./service-directory.ts";

export interface CheckOptions {
  /** The time, in milliseconds since 1970; without it no certificate is called out of date. */
  readonly nowMs?: number | undefined;
}

/**
 * Findings that need more than one manifest to see, with Istio's codes where Istio has the same finding. At most a
 * hundred of each level for one file.
 */
export function checkMesh(mesh: Mesh, { nowMs }: CheckOptions = {}): readonly Diagnostic[] {
  const findings = [
    ...checkGatewaySide(mesh, nowMs),
    ...checkRules(mesh),
    ...checkServices(mesh),
    ...checkLocalEndpoints(mesh),
    ...checkEndpointWeights(mesh),
  ];
  return boundFindings(findings, "of how its objects fit together");
}

function checkGatewaySide(mesh: Mesh, nowMs: number | undefined): readonly Diagnostic[] {
  const pods = new GatewayPods(mesh);
  const secrets = new SecretDirectory(mesh);
  return [
    ...checkGateways(mesh, pods),
    ...checkGatewayPorts(mesh, pods),
    ...checkGatewaySecrets(mesh, { pods, secrets, nowMs }),
    ...checkSharedCertificates(mesh),
    ...checkCertificateReach(mesh, { pods, secrets }),
  ];
}

function checkRules(mesh: Mesh): readonly Diagnostic[] {
  const pods = new GatewayPods(mesh);
  const clients = new RuleClients(mesh, pods);
  return [
    ...checkVirtualServiceGateways(mesh),
    ...checkMeshHosts(mesh),
    ...checkDestinations(mesh, { directory: new ServiceDirectory(mesh), clients }),
    ...checkSubsets(mesh, clients),
    ...checkIngressSubsets(mesh),
    ...checkRuleOrder(mesh),
    ...checkConnectionRules(mesh),
    ...checkPathBoundaries(mesh),
    ...checkClaimRouting(mesh, pods),
    ...checkShadowing(mesh, pods),
    ...checkDelegates(mesh),
    ...checkFallbackHosts(mesh),
    ...checkSingleWeights(mesh),
    ...checkHostCase(mesh),
  ];
}

function checkServices(mesh: Mesh): readonly Diagnostic[] {
  const pods = new PodIndex(listPods(mesh));
  return [
    ...checkPortNames(mesh),
    ...checkEntryAddresses(mesh),
    ...checkEntryProtocols(mesh),
    ...checkDestinationRules(mesh, { directory: new ServiceDirectory(mesh), pods }),
    ...checkRuleMerging(mesh),
    ...checkServerVerification(mesh),
    ...checkWorkloadServices(mesh),
    ...checkSidecars(mesh, pods),
    ...checkPolicies(mesh, pods),
  ];
}
