import { resolveHost } from "../../../core/mesh/host-name.ts";
import type { PlannedSites } from "../../../core/release/plan/plan-release.ts";
import type { ReleaseSpec } from "../../../core/manifest/release.ts";
import type { LiveDestinationRule, SubsetDefinition } from "../../../core/release/subset/subset-edit.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import type { SiteObjects } from "../objects/site-objects.ts";

/** The part of a DestinationRule that is read here. */
interface RuleSpec {
  readonly host?: string;
  readonly subsets?: readonly SubsetDefinition[];
}

/** What a Release may say of one cluster. */
export function planForSite(context: string, site: Pick<SiteObjects, "object">): PlannedSites {
  return { contexts: [context], findDestinationRule: (name) => findDestinationRule(site, name) };
}

/** By `namespace/name`. */
function findDestinationRule(site: Pick<SiteObjects, "object">, rule: string): LiveDestinationRule | undefined {
  const [namespace = "", name = ""] = rule.split("/");
  const found = site.object(kubeKinds.destinationRule, { namespace, name });
  if (found === undefined) return undefined;
  const { host = "", subsets = [] } = specOf(found);
  return { host: resolveHost(host, namespace), subsets };
}

/** The object with the subsets that a Release adds to it; the same object where it adds none that is not there. */
export function withPlannedSubsets(object: KubeObject, spec: Pick<ReleaseSpec, "subsets">): KubeObject {
  const { namespace, name } = object.metadata;
  const own = (spec.subsets ?? []).filter((each) => each.namespace === namespace && each.destinationRule === name);
  const { subsets = [], ...rest } = specOf(object);
  const known = new Set(subsets.map((subset) => subset.name));
  const added = own.flatMap(({ add }) => add).filter((subset) => !known.has(subset.name));
  return added.length === 0 ? object : { ...object, spec: { ...rest, subsets: [...subsets, ...added] } };
}

function specOf(rule: KubeObject): RuleSpec {
  // Istio's schema has been checked by the API server.
  return rule["spec"] ?? {};
}
