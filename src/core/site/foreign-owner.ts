import { asObject, isJsonObject, type JsonObject } from "./json-value.ts";
import { fieldManager, siteAnnotations, type FieldOwner, type SiteObject } from "./site-object.ts";

/** Somebody else who holds the rules of a VirtualService and would set them back. */
export interface ForeignOwner {
  readonly manager: string;
  readonly operation: FieldOwner["operation"];
  /** Why it does not let go, in plain words, to follow "because it". */
  readonly reason: string;
}

export interface OwnerOptions {
  /** Managers that may be taken over from, by `--take-over` or the Release, beside those that the object itself names. */
  readonly takeOver: readonly string[];
}

/**
 * Programs that move the weights of VirtualServices by themselves, by the names that they write under: client-go takes
 * the program's name where none is given (`rest.DefaultKubernetesUserAgent`). Sources: argo-rollouts issue 3854;
 * flagger `cmd/flagger`; knative-extensions/net-istio `cmd/controller`.
 */
export const trafficControllers: readonly string[] = ["rollouts-controller", "argo-rollouts", "flagger", "keptn"];

/**
 * Who else would set the rules back; undefined where nobody does. Whoever applied them with server-side apply (Flux,
 * Argo CD, `kubectl apply --server-side`) does so again, and so do programs that move weights, however they write. Tools
 * that write once by other means hand the rules over. Own and permitted managers do not count.
 * Source: Kubernetes, "Server-Side Apply"; the form of `fieldsV1` is of sigs.k8s.io/structured-merge-diff.
 */
export function findForeignOwner(object: SiteObject, options: OwnerOptions): ForeignOwner | undefined {
  const permitted = permittedManagers(object, options);
  const { metadata } = object;
  for (const { manager, operation, subresource, fieldsV1 } of metadata.managedFields ?? []) {
    if (permitted.has(manager) || (subresource ?? "") !== "" || !ownsRules(fieldsV1)) continue;
    if (operation === "Apply") return { manager, operation, reason: "applies the rules with server-side apply" };
    if (trafficControllers.includes(manager)) return { manager, operation, reason: "moves weights by itself" };
  }
  return undefined;
}

/** kirikae's own name, and the managers that may be taken over from. */
export function permittedManagers({ metadata }: SiteObject, { takeOver }: OwnerOptions): ReadonlySet<string> {
  const written = metadata.annotations?.[siteAnnotations.takesOverFrom] ?? "";
  return new Set([fieldManager, ...takeOver, ...written.split(",").map((name) => name.trim())]);
}

/** `f:spec` alone stands for all that is in it; `f:http` is one value in Istio's schema, or has entries below it. */
function ownsRules(fields: JsonObject | undefined): boolean {
  const spec = asObject(fields)["f:spec"];
  if (!isJsonObject(spec)) return false;
  return Object.keys(spec).length === 0 || "f:http" in spec;
}
