import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Position } from "../diagnostics/position.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import {
  type Manifest,
  objectName,
  resourceName,
  type SecurityPolicyManifest,
  type VirtualServiceManifest,
} from "../manifest/manifest.ts";
import { resolveGatewayName } from "./gateway-name.ts";
import type { GatewayPods } from "./gateway-pods.ts";
import { selects } from "./label-index.ts";
import type { Mesh } from "./mesh.ts";
import type { PodSubject } from "./pods.ts";
import { meshConfigOf } from "./sidecar-scope.ts";

/**
 * Rules that match JWT claims at a gateway whose pods no RequestAuthentication is for (IST0149).
 * Source: Istio `pkg/config/analysis/analyzers/virtualservice/jwtclaimroute.go`.
 */
export function checkClaimRouting(mesh: Mesh, pods: GatewayPods): readonly Diagnostic[] {
  const gateways = new Map(mesh.gateways.map((gateway) => [objectName(gateway), gateway] as const));
  const policies = mesh.manifests.filter(isAuthentication);
  const { rootNamespace } = meshConfigOf(mesh);
  return mesh.virtualServices.flatMap((service) => {
    const claim = findClaim(service);
    if (claim === undefined) {
      return [];
    }
    const names = new Set(service.spec.gateways.map((name) => resolveGatewayName(name, service.metadata.namespace)));
    return [...names].flatMap((name) => {
      const gateway = name === undefined ? undefined : gateways.get(name);
      const bare =
        gateway === undefined
          ? undefined
          : pods.find(gateway).find((pod) => !policies.some((one) => isFor(one, pod, rootNamespace)));
      return name === undefined || bare === undefined
        ? []
        : [report(service, claim, { name, pod: bare, rootNamespace })];
    });
  });
}

function isAuthentication(manifest: Manifest): manifest is SecurityPolicyManifest {
  return manifest.kind === "RequestAuthentication";
}

/** Policies of the root namespace are for every namespace. */
function isFor({ spec, metadata }: SecurityPolicyManifest, pod: PodSubject, rootNamespace: string): boolean {
  const isInReach = metadata.namespace === rootNamespace || metadata.namespace === pod.namespace;
  return isInReach && selects(spec.selector ?? {}, pod.labels);
}

interface Claim {
  readonly key: string;
  readonly at: Position;
}

/** Header names of this form stand for a claim of the token, which the authentication filter puts in. */
const claimKey = /^@request\.auth\.claims[.[]/i;

function findClaim({ spec }: VirtualServiceManifest): Claim | undefined {
  const matches = spec.http.flatMap((rule) => rule.match);
  const claims = matches.flatMap((match) =>
    [...Object.keys(match.headers), ...Object.keys(match.withoutHeaders)]
      .filter((key) => claimKey.test(key))
      .map((key) => ({ key, at: match.at })),
  );
  return claims[0];
}

function report(
  service: VirtualServiceManifest,
  { key, at }: Claim,
  { name, pod, rootNamespace }: { readonly name: string; readonly pod: PodSubject; readonly rootNamespace: string },
): Diagnostic {
  return diagnostic("KIR1218", {
    message: `The match on ${key} never holds: no RequestAuthentication is for ${pod.resource}, which plays Gateway ${name}.`,
    hint: `Add a RequestAuthentication in ${listNames([...new Set([pod.namespace, rootNamespace])])} for these pods.`,
    resource: resourceName(service),
    at,
  });
}
