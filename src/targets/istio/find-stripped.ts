import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { findWrittenObjects } from "../../core/site/written-objects.ts";
import { httpRules, readOwnRouteName } from "../../core/site/own-routes.ts";
import { planSiteWrites } from "../../core/site/plan-site-writes.ts";
import type { SiteObject } from "../../core/site/site-object.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import { narrow, splitsOf } from "./plan-route-writes.ts";
import type { SiteView } from "./site-view.ts";

/** Routes that a release has laid and that a live VirtualService has not, or not all of. */
export interface StrippedRoutes {
  /** `namespace/name`. */
  readonly release: string;
  readonly kind: "preview" | "mirror";
  /** `namespace/name` of the VirtualService that they were laid in. */
  readonly service: string;
}

/**
 * What somebody else has taken out of the live objects of these additions, which are taken to have been laid. How many
 * routes there are is compared and not what is in them: whoever edits a rule changes what would be laid over it now.
 */
export function findStripped(
  view: SiteView,
  { additions, isConfined = false }: { readonly additions: readonly OwnedAddition[]; readonly isConfined?: boolean },
): readonly StrippedRoutes[] {
  const laid = narrow({ weights: new Map(), additions, isConfined }, view).additions;
  const splits = new Set(laid.flatMap(({ addition }) => splitsOf(addition)));
  if (splits.size === 0) return [];
  const written = findWrittenObjects(view.table, splits);
  const names = new Set(written.flatMap(({ virtualService, writtenIn }) => [virtualService, writtenIn]));
  const objects = [...names].flatMap((name) => findService(view, name) ?? []);
  const plan = planSiteWrites({ objects, table: view.table, weights: new Map(), additions: laid });
  // What cannot be laid any more is for whoever lays it next to say.
  if (plan.kind === "refused") return [];
  return plan.writes.flatMap(({ name, object }) => {
    const live = findService(view, name);
    const has = live === undefined ? new Map<string, number>() : countOwn(live);
    return [...countOwn(object)].flatMap(([key, count]) => {
      const [kind = "", release = ""] = key.split(" ");
      const isGone = (has.get(key) ?? 0) < count && (kind === "preview" || kind === "mirror");
      return isGone ? [{ release, kind, service: name }] : [];
    });
  });
}

/** In words that follow nothing and have no full stop; undefined where everything is there. */
export function describeStripped(stripped: readonly StrippedRoutes[]): string | undefined {
  if (stripped.length === 0) return undefined;
  const gone = stripped.map(({ kind, service }) => `the ${kind} of the release out of VirtualService ${service}`);
  return `somebody else has taken ${gone.join(" and ")}`;
}

function findService(view: SiteView, name: string): SiteObject | undefined {
  const [namespace = "", rest = ""] = name.split("/");
  return view.object(kubeKinds.virtualService, { namespace, name: rest });
}

/** By kind and release. */
function countOwn(object: SiteObject): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of httpRules(object)) {
    const own = typeof name === "string" ? readOwnRouteName(name) : undefined;
    if (own === undefined) continue;
    const key = `${own.kind} ${own.release}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
