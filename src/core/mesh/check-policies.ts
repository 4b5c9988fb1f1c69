import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { type Manifest, resourceName, type SecurityPolicyManifest } from "../manifest/manifest.ts";
import { selectorKey } from "./gateway-pods.ts";
import type { Mesh } from "./mesh.ts";
import type { PodIndex, PodSubject } from "./pods.ts";
import { meshConfigOf } from "./sidecar-scope.ts";

/**
 * AuthorizationPolicies that are for nobody (IST0127), or speak of namespaces that do not exist (IST0101).
 * Source: Istio `pkg/config/analysis/analyzers/authz/authorizationpolicies.go`.
 */
export function checkPolicies(mesh: Pick<Mesh, "manifests">, pods: PodIndex): readonly Diagnostic[] {
  const policies = mesh.manifests.filter(isAuthorizationPolicy);
  const namespaces = new Map(
    mesh.manifests.filter(({ kind }) => kind === "Namespace").map(({ metadata }) => [metadata.name, metadata] as const),
  );
  const { rootNamespace } = meshConfigOf(mesh);
  const isCounted = (pod: PodSubject): boolean => isInMesh(pod, namespaces.get(pod.namespace)?.labels);
  return policies.flatMap((policy) => [
    ...(isForNobody(policy, { pods, rootNamespace, isCounted }) ? [reportNobody(policy, rootNamespace)] : []),
    ...checkNamespaces(policy, [...namespaces.keys()]),
  ]);
}

function isAuthorizationPolicy(manifest: Manifest): manifest is SecurityPolicyManifest {
  return manifest.kind === "AuthorizationPolicy";
}

interface PolicySubjects {
  readonly pods: PodIndex;
  readonly rootNamespace: string;
  readonly isCounted: (pod: PodSubject) => boolean;
}

/** In the root namespace a policy is for the pods of every namespace, whether there are any yet or not. */
function isForNobody(
  { spec, metadata }: SecurityPolicyManifest,
  { pods, rootNamespace, isCounted }: PolicySubjects,
): boolean {
  const { selector } = spec;
  if (spec.hasTargets || (metadata.namespace === rootNamespace && selector === undefined)) {
    return false;
  }
  const found =
    metadata.namespace === rootNamespace
      ? pods.findAnywhere(selector ?? {})
      : pods.findIn(metadata.namespace, selector ?? {});
  return !found.some(isCounted);
}

/** Nothing enforces a policy for pods without a sidecar; what is known of them is their word, then their namespace's. */
function isInMesh({ labels, annotations }: PodSubject, namespaceLabels: PodSubject["labels"] | undefined): boolean {
  const asked = labels["sidecar.istio.io/inject"] ?? annotations["sidecar.istio.io/inject"];
  if (asked !== undefined) {
    return asked === "true";
  }
  const isInjected = (namespaceLabels?.["istio-injection"] ?? "") === "enabled" || hasRevision(namespaceLabels);
  const isAmbient = annotations["ambient.istio.io/redirection"] === "enabled" || hasAmbient(namespaceLabels);
  return namespaceLabels === undefined || isInjected || isAmbient;
}

function hasRevision(labels: PodSubject["labels"] | undefined): boolean {
  return (labels?.["istio.io/rev"] ?? "") !== "";
}

function hasAmbient(labels: PodSubject["labels"] | undefined): boolean {
  return labels?.["istio.io/dataplane-mode"] === "ambient";
}

function reportNobody(policy: SecurityPolicyManifest, rootNamespace: string): Diagnostic {
  const { namespace } = policy.metadata;
  const labels = selectorKey(policy.spec.selector ?? {}).replaceAll(",", ", ");
  const where = namespace === rootNamespace ? "the mesh" : `namespace ${namespace}`;
  return diagnostic("KIR1212", {
    message: `No pod of ${where} that is in the mesh ${labels === "" ? "is there" : `has the labels ${labels}`}, so the policy protects nothing.`,
    hint: "A policy counts for pods of its own namespace that have a sidecar; correct the labels, the namespace or the injection.",
    resource: resourceName(policy),
    at: policy.at,
  });
}

/** Where manifests declare no namespace at all, nothing can be said about which there are. */
function checkNamespaces(policy: SecurityPolicyManifest, known: readonly string[]): readonly Diagnostic[] {
  if (known.length === 0) {
    return [];
  }
  return policy.spec.namespaces
    .filter(({ pattern }) => !known.some((name) => matchesPattern(name, pattern)))
    .map(({ pattern, at }) =>
      diagnostic("KIR1213", {
        message: `No namespace is called "${pattern}", so this part of the policy matches no caller.`,
        hint: `Known namespaces: ${listNames(known)}.`,
        resource: resourceName(policy),
        at,
      }),
    );
}

function matchesPattern(name: string, pattern: string): boolean {
  if (pattern.startsWith("*")) {
    return name.endsWith(pattern.slice(1));
  }
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name.toLowerCase() === pattern.toLowerCase();
}
