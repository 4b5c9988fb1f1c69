import type { VirtualServiceManifest } from "../manifest/manifest.ts";
import { objectName } from "../manifest/manifest.ts";
import { parseManifests } from "../manifest/parse-manifests.ts";
import type { HttpRoute } from "../manifest/virtual-service.ts";
import { mergeDelegates } from "../routes/merge-delegates.ts";
import type { Route, RouteTable, Split, SplitId } from "../routes/route-table.ts";
import { splitIdsOf } from "../routes/split-id.ts";
import { refuseLive, type SiteRefusal } from "./refuse-site.ts";
import { renderSiteSource, ruleAtLine } from "./render-site-source.ts";
import type { SiteObject } from "./site-object.ts";

/** Where in the live objects the rule of a split is written. */
export interface LiveRule {
  readonly split: Split;
  /** `namespace/name` of the VirtualService that has the hosts. */
  readonly root: string;
  /** `namespace/name` of the object that the rule is written in: the root, or a delegate of it. */
  readonly owner: string;
  /** In the owner's `spec.http`, own routes left out. */
  readonly index: number;
  /** Tells the rule from the owner's others, whatever is inserted above it. */
  readonly key: string;
  /** Rules of roots that hand over to this one; empty where the root itself has the rule. */
  readonly handedOverBy: readonly HttpRoute[];
  readonly routes: readonly Route[];
}

/** Every route of each split; those that an addition has made are left out by the caller's table. */
function findRoutes(
  table: RouteTable,
  splits: ReadonlySet<SplitId>,
): ReadonlyMap<SplitId, readonly { readonly split: Split; readonly route: Route }[]> {
  const found = new Map<SplitId, { readonly split: Split; readonly route: Route }[]>();
  for (const { virtualHosts } of table.httpRoutings) {
    for (const { routes } of virtualHosts) {
      for (const route of routes) {
        if (route.action.kind !== "forward" || !splits.has(route.action.split.id)) continue;
        const known = found.get(route.action.split.id);
        const each = { split: route.action.split, route };
        if (known === undefined) found.set(each.split.id, [each]);
        else known.push(each);
      }
    }
  }
  return found;
}

/** Finds rules in live VirtualServices, by the same identities that the table has from them. */
export class LiveRules {
  readonly #objects: ReadonlyMap<string, SiteObject>;
  readonly #table: RouteTable;
  readonly #roots = new Map<string, LiveRoot>();

  /** @param objects by `namespace/name`, own routes left out. */
  constructor(objects: ReadonlyMap<string, SiteObject>, table: RouteTable) {
    this.#objects = objects;
    this.#table = table;
  }

  /** By split; a split that the table does not have is not in the answer. */
  find(splits: ReadonlySet<SplitId>): ReadonlyMap<SplitId, LiveRule> | SiteRefusal {
    const found = new Map<SplitId, LiveRule>();
    for (const [id, all] of findRoutes(this.#table, splits)) {
      const [first] = all;
      if (first === undefined) continue;
      const { virtualService, delegate } = first.route.origin;
      const place = this.#rootOf(virtualService)?.place(id, delegate);
      if (place === undefined) return refuseLost(id, delegate ?? virtualService);
      found.set(id, { ...place, split: first.split, root: virtualService, routes: all.map(({ route }) => route) });
    }
    return found;
  }

  #rootOf(name: string): LiveRoot | undefined {
    const known = this.#roots.get(name);
    if (known !== undefined) return known;
    const object = this.#objects.get(name);
    if (object === undefined) return undefined;
    const root = new LiveRoot(object, this.#objects);
    this.#roots.set(name, root);
    return root;
  }
}

type Place = Pick<LiveRule, "owner" | "index" | "key" | "handedOverBy">;

/** One VirtualService with hosts, and the delegates that it hands over to. */
class LiveRoot {
  readonly #name: string;
  readonly #manifest: VirtualServiceManifest | undefined;
  readonly #delegates: ReadonlyMap<string, VirtualServiceManifest>;
  readonly #rules: readonly HttpRoute[];
  readonly #ids: readonly SplitId[];

  constructor(object: SiteObject, objects: ReadonlyMap<string, SiteObject>) {
    const [root] = parse([object]);
    this.#manifest = root;
    this.#name = root === undefined ? "" : objectName(root);
    const named = root === undefined ? [] : delegateNames(root).flatMap((name) => objects.get(name) ?? []);
    const delegates = parse(named);
    this.#delegates = new Map(delegates.map((manifest) => [objectName(manifest), manifest]));
    const merged =
      root === undefined ? [] : mergeDelegates([root, ...delegates], { defaultVirtualServiceExportTo: ["*"] });
    this.#rules = merged[0]?.spec.http ?? [];
    this.#ids = splitIdsOf(this.#name, this.#rules);
  }

  place(split: SplitId, delegate: string | undefined): Place | undefined {
    const rule = this.#rules[this.#indexOf(split)];
    if (rule === undefined || rule.delegate !== delegate) return undefined;
    const owner = rule.delegate === undefined ? this.#manifest : this.#delegates.get(rule.delegate);
    if (owner === undefined) return undefined;
    const at = owner.spec.http.findIndex((each) => each.at.line === rule.at.line);
    const name = objectName(owner);
    const key = splitIdsOf(name, owner.spec.http)[at]?.slice(name.length + 1);
    if (key === undefined) return undefined;
    const handedOverBy = rule.delegate === undefined ? [] : this.#handingOverTo(rule.delegate);
    return { owner: name, index: ruleAtLine(rule.at.line), key, handedOverBy };
  }

  /** Where a rule leads elsewhere on another port, the table writes a hash behind its identity (`SplitNames`). */
  #indexOf(split: SplitId): number {
    const exact = this.#ids.indexOf(split);
    return exact === -1 ? this.#ids.indexOf(split.slice(0, split.lastIndexOf("~"))) : exact;
  }

  #handingOverTo(delegate: string): readonly HttpRoute[] {
    const own = this.#manifest?.metadata.namespace ?? "";
    return (this.#manifest?.spec.http ?? []).filter(
      ({ action }) => action.kind === "delegate" && delegateName(action, own) === delegate,
    );
  }
}

function delegateNames({ spec, metadata }: VirtualServiceManifest): readonly string[] {
  const names = spec.http.flatMap(({ action }) =>
    action.kind === "delegate" ? [delegateName(action, metadata.namespace)] : [],
  );
  return [...new Set(names)];
}

function delegateName(
  { name, namespace }: { readonly name: string; readonly namespace: string | undefined },
  own: string,
) {
  return `${namespace === undefined || namespace === "" ? own : namespace}/${name}`;
}

function parse(objects: readonly SiteObject[]): readonly VirtualServiceManifest[] {
  const { manifests } = parseManifests(objects.map(renderSiteSource), { defaultNamespace: "default" });
  return manifests.filter((manifest): manifest is VirtualServiceManifest => manifest.kind === "VirtualService");
}

function refuseLost(split: SplitId, owner: string): SiteRefusal {
  return refuseLive("KIR4020", {
    message: `The rule ${split} is not in the live VirtualService ${owner}.`,
    hint: "Somebody has changed it in between: look at it, and plan anew.",
  });
}
