import type { IngressClassManifest, IngressManifest, Manifest } from "../manifest/manifest.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";

/** Whether Istio takes an Ingress for its own, and why it does or does not. */
export type IngressClaim =
  | { readonly kind: "served" }
  /** It names a class that no IngressClass of the manifests defines, and is served because the mesh takes any. */
  | { readonly kind: "servedUnknown"; readonly className: string }
  | { readonly kind: "unknownClass"; readonly className: string }
  /** Its class belongs to another controller, whose name is known only where an IngressClass tells it. */
  | { readonly kind: "foreign"; readonly className: string; readonly controller: string | undefined }
  | { readonly kind: "noClass" }
  /** The mesh serves no Ingress that its annotation alone would make its own. */
  | { readonly kind: "switchedOff" };

/** The controller of an IngressClass that is Istio's. */
export const istioController = "istio.io/ingress-controller";

/** IngressClasses by name. */
export type IngressClasses = ReadonlyMap<string, IngressClassManifest>;

/** Whether an Ingress is Istio's to serve. */
export function isServed({ kind }: IngressClaim): boolean {
  return kind === "served" || kind === "servedUnknown";
}

/** Why an Ingress is left alone, in plain words to follow "because"; undefined where it is served. */
export function whyLeftAlone(claim: IngressClaim, config: MeshConfig): string | undefined {
  switch (claim.kind) {
    case "served":
    case "servedUnknown":
      return undefined;
    case "unknownClass":
      return `no IngressClass "${claim.className}" is in the manifests`;
    case "foreign":
      return claim.controller === undefined
        ? `its class "${claim.className}" is not Istio's`
        : `its class "${claim.className}" is that of ${claim.controller}`;
    case "noClass":
      return `it names no class, and ingressControllerMode is ${config.ingressControllerMode}`;
    case "switchedOff":
      return "it has its class by the annotation alone, and ingressControllerMode is OFF";
  }
}

export function indexClasses(manifests: readonly Manifest[]): IngressClasses {
  return new Map(
    manifests
      .filter((manifest) => manifest.kind === "IngressClass")
      .map((manifest) => [manifest.metadata.name, manifest] as const),
  );
}

/**
 * The annotation counts first, then the IngressClass, and where neither says anything the mesh's mode. An IngressClass of
 * Istio's own counts in every mode. Source: Istio `pilot/pkg/config/kube/ingress/virtualservices.go`,
 * shouldProcessIngressWithClass.
 */
export function claimIngress(
  { spec }: IngressManifest,
  { classes, config }: { readonly classes: IngressClasses; readonly config: MeshConfig },
): IngressClaim {
  const { ingressControllerMode: mode, ingressClass } = config;
  if (spec.classAnnotation !== undefined) {
    if (spec.classAnnotation !== ingressClass) {
      return { kind: "foreign", className: spec.classAnnotation, controller: undefined };
    }
    return mode === "OFF" ? { kind: "switchedOff" } : { kind: "served" };
  }
  const className = spec.className ?? defaultClass(classes);
  const known = className === undefined ? undefined : classes.get(className);
  if (className !== undefined && known !== undefined) {
    const { controller } = known.spec;
    return controller === istioController ? { kind: "served" } : { kind: "foreign", className, controller };
  }
  if (mode === "DEFAULT") return className === undefined ? { kind: "served" } : { kind: "servedUnknown", className };
  return className === undefined ? { kind: "noClass" } : { kind: "unknownClass", className };
}

/**
 * The API server writes the default class into an Ingress without one; of several the youngest, then the first by name.
 * Source: Kubernetes `plugin/pkg/admission/network/defaultingressclass/admission.go`.
 */
function defaultClass(classes: IngressClasses): string | undefined {
  const [first] = [...classes.values()]
    .filter(({ spec }) => spec.isDefault)
    .toSorted((one, other) => compare(ageOf(other), ageOf(one)) || compare(one.metadata.name, other.metadata.name));
  return first?.metadata.name;
}

function ageOf({ metadata }: IngressClassManifest): string {
  return metadata.creationTimestamp ?? "";
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
