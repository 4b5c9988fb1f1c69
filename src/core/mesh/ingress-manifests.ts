import {
  type GatewayManifest,
  type IngressManifest,
  type Manifest,
  objectName,
  type VirtualServiceManifest,
} from "../manifest/manifest.ts";
import { indexServices } from "./ingress-backend.ts";
import { claimIngress, indexClasses, isServed, whyLeftAlone } from "./ingress-class.ts";
import { buildIngressGateway } from "./ingress-gateway.ts";
import { buildIngressRules } from "./ingress-rules.ts";
import { meshConfigOf } from "./sidecar-scope.ts";

/** What the Ingresses of a mesh say, as Istio's own kinds say it. */
export interface IngressManifests {
  /** One for each Ingress. */
  readonly gateways: readonly GatewayManifest[];
  /** One for each host. */
  readonly virtualServices: readonly VirtualServiceManifest[];
}

/**
 * The Gateways and VirtualServices that Istio's ingress controller makes of the Ingresses that are its own; `manifests`
 * are in Istio's order. What is made has no time of creation and so counts as older than all that has one.
 * Source: Istio `pilot/pkg/config/kube/ingress`, gateways.go and virtualservices.go.
 */
export function buildIngressManifests(manifests: readonly Manifest[]): IngressManifests {
  const ingresses = servedIngresses(manifests);
  if (ingresses.length === 0) return { gateways: [], virtualServices: [] };
  const config = meshConfigOf({ manifests });
  const taken = new Set(manifests.filter(({ kind }) => kind === "VirtualService").map(objectName));
  return {
    gateways: ingresses.map((ingress) => buildIngressGateway(ingress, config)),
    virtualServices: buildIngressRules(ingresses, { services: indexServices(manifests), taken }),
  };
}

/** Ingresses that Istio takes for its own, in the order of the manifests. */
export function servedIngresses(manifests: readonly Manifest[]): readonly IngressManifest[] {
  const ingresses = manifests.filter((manifest) => manifest.kind === "Ingress");
  if (ingresses.length === 0) return [];
  const surroundings = { classes: indexClasses(manifests), config: meshConfigOf({ manifests }) };
  return ingresses.filter((ingress) => isServed(claimIngress(ingress, surroundings)));
}

/** An Ingress that Istio leaves alone, and why, in plain words to follow "because". */
export interface LeftIngress {
  readonly ingress: IngressManifest;
  readonly reason: string;
}

export function leftIngresses(manifests: readonly Manifest[]): readonly LeftIngress[] {
  const ingresses = manifests.filter((manifest) => manifest.kind === "Ingress");
  if (ingresses.length === 0) return [];
  const surroundings = { classes: indexClasses(manifests), config: meshConfigOf({ manifests }) };
  return ingresses.flatMap((ingress) => {
    const reason = whyLeftAlone(claimIngress(ingress, surroundings), surroundings.config);
    return reason === undefined ? [] : [{ ingress, reason }];
  });
}
