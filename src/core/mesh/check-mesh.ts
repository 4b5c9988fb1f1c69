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
import { checkIngressBackends } from "./check-ingress-backends.ts";
import { checkIngressPaths } from "./check-ingress-paths.ts";
import { checkIngresses } from "./check-ingresses.ts";
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
import { checkUnreadRoutes } from "./check-unread-routes.ts";
import { checkVirtualServiceGateways } from "./check-virtual-service-gateways.ts";
import { checkWorkloadServices } from "./check-workload-services.ts";
import type { Manifest } from "../manifest/manifest.ts";
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
    ...checkIngressSide(mesh),
    ...checkServices(mesh),
    ...checkLocalEndpoints(mesh),
    ...checkEndpointWeights(mesh),
  ];
  return boundFindings(findings, "of how its objects fit together");
}

function checkGatewaySide(mesh: Mesh, nowMs: number | undefined): readonly Diagnostic[] {
  const pods = new GatewayPods(mesh);
  const secrets = new SecretDirectory(mesh);
  const written = withoutMade(mesh);
  return [
    ...checkGateways(written, pods),
    ...checkGatewayPorts(written, pods),
    ...checkGatewaySecrets(mesh, { pods, secrets, nowMs }),
    ...checkSharedCertificates(mesh),
    ...checkCertificateReach(mesh, { pods, secrets }),
  ];
}

/** Without what Ingresses stand for, which has rules of its own and which nobody can edit. */
function withoutMade(mesh: Mesh): Mesh {
  return {
    ...mesh,
    gateways: mesh.gateways.filter(isWritten),
    virtualServices: mesh.virtualServices.filter(isWritten),
  };
}

function isWritten({ madeFrom }: Manifest): boolean {
  return madeFrom === undefined;
}

function checkIngressSide(mesh: Mesh): readonly Diagnostic[] {
  return [
    ...checkIngresses(mesh),
    ...checkIngressPaths(mesh),
    ...checkIngressBackends(mesh, { directory: new ServiceDirectory(mesh), pods: new GatewayPods(mesh) }),
    ...checkUnreadRoutes(mesh),
  ];
}

function checkRules(mesh: Mesh): readonly Diagnostic[] {
  const pods = new GatewayPods(mesh);
  const clients = new RuleClients(mesh, pods);
  const directory = new ServiceDirectory(mesh);
  const written = withoutMade(mesh);
  return [
    ...checkVirtualServiceGateways({ ...mesh, virtualServices: written.virtualServices }),
    ...checkMeshHosts(written),
    ...checkDestinations(written, { directory, clients }),
    ...checkSubsets(written, { directory, clients }),
    ...checkIngressSubsets(written),
    ...checkRuleOrder(written),
    ...checkConnectionRules(written),
    ...checkPathBoundaries(written),
    ...checkClaimRouting({ ...mesh, virtualServices: written.virtualServices }, pods),
    ...checkShadowing(mesh, pods),
    ...checkDelegates(written),
    ...checkFallbackHosts(written),
    ...checkSingleWeights(written),
    ...checkHostCase(written),
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
