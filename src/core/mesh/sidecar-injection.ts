import type { Position } from "../diagnostics/position.ts";
import {
  isWorkload,
  type LocalWorkloadManifest,
  type NamespaceManifest,
  type ObjectName,
  objectName,
  resourceName,
  type WorkloadManifest,
} from "../manifest/manifest.ts";
import type { Mesh } from "./mesh.ts";

type Labels = Readonly<Record<string, string>>;

/** A workload that sends requests inside the mesh. */
export interface MeshCaller {
  /** `namespace/name`, as `--from` takes it. */
  readonly name: ObjectName;
  readonly namespace: string;
  /** The labels of its pods, which rules with `sourceLabels` look at. */
  readonly labels: Labels;
  readonly injection: Injection;
  readonly at: Position;
}

/** Whether its pods get a sidecar; without one no rule of the mesh applies to what they send. */
type Injection =
  | { readonly isInjected: true }
  | {
      readonly isInjected: false;
      /** Plain words, to follow "because". */
      readonly reason: string;
      /** One sentence: what would give it a sidecar. */
      readonly hint: string;
    };

/**
 * The workloads of a mesh by `namespace/name`, sorted: what makes pods, and LocalWorkloads, which take the place of a
 * Deployment of the same name. Pods of gateways are proxies themselves and are left out.
 */
export function findCallers(mesh: Pick<Mesh, "manifests">): ReadonlyMap<ObjectName, MeshCaller> {
  const namespaces = new Map<string, NamespaceManifest>();
  const declared = new Map<ObjectName, WorkloadManifest>();
  const local = new Map<ObjectName, LocalWorkloadManifest>();
  for (const manifest of mesh.manifests) {
    if (manifest.kind === "Namespace") namespaces.set(manifest.metadata.name, manifest);
    else if (manifest.kind === "LocalWorkload") local.set(objectName(manifest), manifest);
    else if (isWorkload(manifest) && !declared.has(objectName(manifest))) declared.set(objectName(manifest), manifest);
  }
  const callers: MeshCaller[] = [];
  for (const name of new Set([...declared.keys(), ...local.keys()])) {
    const pods = declared.get(name);
    if (pods !== undefined && isGatewayPod(pods)) continue;
    const caller = describeCaller(pods, local.get(name), namespaces);
    if (caller !== undefined) callers.push(caller);
  }
  const sorted = callers.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  return new Map(sorted.map((caller) => [caller.name, caller]));
}

function describeCaller(
  pods: WorkloadManifest | undefined,
  local: LocalWorkloadManifest | undefined,
  namespaces: ReadonlyMap<string, NamespaceManifest>,
): MeshCaller | undefined {
  const shown = local ?? pods;
  if (shown === undefined) return undefined;
  const { namespace } = shown.metadata;
  const labels = local?.spec.labels ?? pods?.spec.podLabels ?? {};
  const injection = decideInjection({
    resource: resourceName(shown),
    namespace,
    // A LocalWorkload rarely repeats what its Deployment says about the sidecar.
    labels: { ...pods?.spec.podLabels, ...labels },
    annotations: { ...pods?.spec.podAnnotations, ...local?.metadata.annotations },
    usesHostNetwork: pods?.spec.usesHostNetwork === true,
    namespaceLabels: namespaces.get(namespace)?.metadata.labels,
  });
  return { name: objectName(shown), namespace, labels, injection, at: shown.at };
}

interface InjectionSubject {
  readonly resource: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly usesHostNetwork: boolean;
  /** Undefined when the manifests hold no such Namespace. */
  readonly namespaceLabels: Labels | undefined;
}

const injectKey = "sidecar.istio.io/inject";
const injectedKey = "sidecar.istio.io/status";
const namespaceKey = "istio-injection";
const revisionKey = "istio.io/rev";
const systemNamespaces: ReadonlySet<string> = new Set(["kube-system", "kube-public", "kube-node-lease"]);

/**
 * Istio's decision. Source: `pkg/kube/inject/inject.go`, injectRequired, and the selectors of its webhooks
 * (`manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml`).
 */
function decideInjection(subject: InjectionSubject): Injection {
  const { resource, namespace, labels, annotations, namespaceLabels } = subject;
  const onPod = labels[injectKey];
  // The webhook, and `istioctl kube-inject`, write down what they have added: such pods have it, whoever asked for it.
  if (annotations[injectedKey] !== undefined) return { isInjected: true };
  const enable = `Label Namespace ${namespace} with ${namespaceKey}: enabled, or its pods with ${injectKey}: "true".`;
  if (subject.usesHostNetwork) {
    return none(`the pods of ${resource} use the network of their node`, "Leave hostNetwork out.");
  }
  if (systemNamespaces.has(namespace)) {
    return none(`namespace ${namespace} belongs to Kubernetes`, "Move the workload to another namespace.");
  }
  if (onPod === "false") {
    return none(`the pods of ${resource} have the label ${injectKey}: "false"`, "Remove the label.");
  }
  const onNamespace = namespaceLabels?.[namespaceKey];
  const isSelected = namespaceLabels?.[revisionKey] !== undefined || onNamespace === "enabled";
  if (onNamespace !== undefined && onNamespace !== "enabled") {
    const reason = `Namespace ${namespace} has the label ${namespaceKey}: ${onNamespace}`;
    return none(reason, `Set it to enabled; a label of the pods does not win over it.`);
  }
  if (!isSelected && onPod !== "true" && labels[revisionKey] === undefined) {
    return none(whyNotSelected(namespace, namespaceLabels), enable);
  }
  if (onPod === undefined && isFalse(annotations[injectKey])) {
    return none(`the pods of ${resource} have the annotation ${injectKey}: "false"`, "Remove the annotation.");
  }
  return { isInjected: true };
}

function none(reason: string, hint: string): Injection {
  return { isInjected: false, reason, hint };
}

function whyNotSelected(namespace: string, labels: Labels | undefined): string {
  return labels === undefined
    ? `the manifests hold no Namespace ${namespace} with the label ${namespaceKey}: enabled`
    : `Namespace ${namespace} does not have the label ${namespaceKey}: enabled`;
}

/** Anything that is not one of YAML 1.1's words for true turns injection off. */
function isFalse(annotation: string | undefined): boolean {
  const text = (annotation ?? "").toLowerCase();
  return text !== "" && !["y", "yes", "true", "on"].includes(text);
}

/** Istio's charts make gateways of pods that ask for that template. */
function isGatewayPod({ spec }: WorkloadManifest): boolean {
  return (spec.podAnnotations["inject.istio.io/templates"] ?? "").split(",").includes("gateway");
}
