import { KubeError } from "../../kubernetes/kube-error.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { Destination } from "../../core/routes/route-table.ts";
import type { PreflightCheck } from "../../engine/ports.ts";
import { readSpec, readStatus } from "./read-spec.ts";
import type { SiteView } from "./site-view.ts";

type Labels = Readonly<Record<string, string>>;

interface Deployment {
  readonly replicas: number;
  readonly template: { readonly metadata?: { readonly labels?: Labels } };
}

interface DeploymentStatus {
  readonly observedGeneration: number;
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
}

interface Rule {
  readonly host: string;
  readonly subsets: readonly { readonly name: string; readonly labels?: Labels }[];
}

/**
 * Whether the Deployments whose pods a destination leads to have come to an end of their own rollouts. A version that has
 * none, such as one outside of the cluster, is fine. Nothing is scaled or restarted.
 */
export async function checkRollouts(
  { api, view }: { readonly api: KubeApi; readonly view: SiteView },
  destination: Destination,
): Promise<readonly PreflightCheck[]> {
  const place = findSelector(view, destination);
  if (place === undefined) return [];
  try {
    const { items } = await api.list(kubeKinds.deployment, { namespace: place.namespace });
    return items.filter((deployment) => isSelected(deployment, place.labels)).map(checkRollout);
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 403) throw error;
    const name = `Deployments of ${destination.subset ?? destination.host}`;
    return [{ name, verdict: "unknown", detail: `not asked: ${error.message}` }];
  }
}

/** As `kubectl rollout status` judges, and every pod Ready: a version on its way up takes less than its share. */
export function checkRollout(deployment: KubeObject): PreflightCheck {
  const name = `Deployment ${deployment.metadata.namespace ?? ""}/${deployment.metadata.name}`;
  const { replicas = 1 } = readSpec<Deployment>(deployment);
  const status = readStatus<DeploymentStatus>(deployment);
  const { observedGeneration = 0, updatedReplicas = 0, readyReplicas = 0, replicas: there = 0 } = status;
  const fail = (detail: string): PreflightCheck => ({ name, verdict: "fail", detail });
  if (observedGeneration < (deployment.metadata.generation ?? 0))
    return fail("rolling out: its last change was not taken up yet");
  if (updatedReplicas < replicas) return fail(`rolling out: ${updatedReplicas} of ${replicas} updated`);
  if (there > updatedReplicas) return fail(`rolling out: ${there - updatedReplicas} of the version before still there`);
  if (readyReplicas < replicas) return fail(`${readyReplicas} of ${replicas} ready`);
  return { name, verdict: "pass", detail: `${readyReplicas} of ${replicas} ready` };
}

function isSelected(deployment: KubeObject, wanted: Labels): boolean {
  const labels = readSpec<Deployment>(deployment).template?.metadata?.labels ?? {};
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** The labels of the pods behind a destination, and where they are; undefined for one that leads to no pods. */
function findSelector(
  view: SiteView,
  { host, subset }: Destination,
): { readonly namespace: string; readonly labels: Labels } | undefined {
  const [name = "", namespace = "", svc] = host.split(".");
  const service = svc === "svc" ? view.object(kubeKinds.service, { namespace, name }) : undefined;
  const selector = readSpec<{ readonly selector: Labels }>(service).selector;
  if (service === undefined || selector === undefined) return undefined;
  return { namespace, labels: { ...selector, ...subsetLabels(view, host, subset) } };
}

/** Of whichever DestinationRule has the subset: which one counts is for the routes to know, and they differ in policies. */
function subsetLabels(view: SiteView, host: string, subset: string | undefined): Labels {
  if (subset === undefined) return {};
  for (const rule of view.objects(kubeKinds.destinationRule)) {
    const { host: named = "", subsets = [] } = readSpec<Rule>(rule);
    const full = named.includes(".") ? named : `${named}.${rule.metadata.namespace ?? ""}.svc`;
    if (host !== named && !host.startsWith(full)) continue;
    const found = subsets.find((each) => each.name === subset);
    if (found !== undefined) return found.labels ?? {};
  }
  return {};
}
