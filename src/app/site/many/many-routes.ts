import type { ReleaseSpec } from "../../../core/manifest/release.ts";
import type { ServiceDescription } from "../../../core/release/move/describe-service.ts";
import { describeServices, describeServicesOf } from "../../../core/release/move/describe-services.ts";
import type { EndpointCounts } from "../../../core/release/move/limit-return.ts";
import type { MovePlan, MoveRequest } from "../../../core/release/move/move.ts";
import type { PastMove } from "../../../core/release/move/past-move.ts";
import type { PlannedSites } from "../../../core/release/plan/plan-release.ts";
import { mergeTables, qualifyTable } from "../../../core/routes/qualify-table.ts";
import type {
  DestinationId,
  RouteTable,
  SplitId,
  SplitWeights,
  WeightOverrides,
} from "../../../core/routes/route-table.ts";
import { localName, qualifyName, siteOf } from "../../../core/routes/site-names.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../../kubernetes/kube-object.ts";
import { planOnMesh } from "../../plan-on-mesh.ts";
import type { CountUnready } from "../mesh/site-endpoints.ts";
import type { MovedRoutes } from "../mesh/moved-site.ts";

interface MergedTable {
  readonly parts: readonly RouteTable[];
  readonly table: RouteTable;
}

/** The routes of several clusters under qualified names, by the context of each. */
export class ManyRoutes implements MovedRoutes {
  readonly #sites: ReadonlyMap<string, MovedRoutes>;
  /** Tables are keys of what is remembered about them, so the same parts give the same table. */
  #merged: MergedTable | undefined;

  constructor(sites: ReadonlyMap<string, MovedRoutes>) {
    this.#sites = sites;
  }

  get table(): RouteTable {
    const parts = [...this.#sites.values()].map(({ table }) => table);
    const known = this.#merged;
    if (known !== undefined && parts.every((part, index) => part === known.parts[index])) return known.table;
    const merged = { parts, table: this.#merge((site) => site.table) };
    this.#merged = merged;
    return merged.table;
  }

  get sites(): PlannedSites {
    return {
      contexts: [...this.#sites.keys()],
      findDestinationRule: (name) => this.#find(name)?.sites?.findDestinationRule(localName(name)),
    };
  }

  tableFor(spec: ReleaseSpec): RouteTable {
    if (spec.subsets === undefined) return this.table;
    return this.#merge((site) => site.tableFor?.(spec) ?? site.table);
  }

  refresh(): boolean {
    return [...this.#sites.values()].map((site) => site.refresh()).some(Boolean);
  }

  placements(): WeightOverrides {
    return new Map();
  }

  services(): readonly ServiceDescription[] {
    return describeServices(this.table, this.placements());
  }

  servicesOf(destinations: Iterable<DestinationId>): readonly ServiceDescription[] {
    return describeServicesOf(this.table, { current: this.placements(), destinations });
  }

  plan(request: MoveRequest, history: readonly PastMove[]): MovePlan {
    return planOnMesh(this, request, history);
  }

  weights(split: SplitId): SplitWeights | undefined {
    const context = siteOf(split);
    const weights = this.#find(split)?.weights(localName(split));
    if (weights === undefined || context === undefined) return undefined;
    return Object.fromEntries(Object.entries(weights).map(([id, weight]) => [qualifyName(context, id), weight]));
  }

  countEndpoints(ids: Iterable<DestinationId>): EndpointCounts {
    const counts: Record<DestinationId, number> = {};
    for (const id of new Set(ids)) {
      const count = this.#find(id)?.countEndpoints([localName(id)])[localName(id)];
      if (count !== undefined) counts[id] = count;
    }
    return counts;
  }

  createUnreadyCount(): CountUnready {
    const counts = new Map([...this.#sites].map(([context, site]) => [context, site.createUnreadyCount()]));
    return (id) => counts.get(siteOf(id) ?? "")?.(localName(id)) ?? 0;
  }

  objects(kind: KubeKind): readonly KubeObject[] {
    return [...this.#sites].flatMap(([context, site]) => site.objects(kind).map((object) => qualify(object, context)));
  }

  /** A name without a context, as servers of Gateways have it, is that of the first cluster that has it. */
  object(kind: KubeKind, { namespace = "", name }: ObjectName): KubeObject | undefined {
    const context = siteOf(namespace);
    if (context === undefined) {
      return [...this.#sites.values()].map((site) => site.object(kind, { namespace, name })).find(Boolean);
    }
    const found = this.#find(namespace)?.object(kind, { namespace: localName(namespace), name });
    return found === undefined ? undefined : qualify(found, context);
  }

  #find(name: string): MovedRoutes | undefined {
    return this.#sites.get(siteOf(name) ?? "");
  }

  #merge(tableOf: (site: MovedRoutes) => RouteTable): RouteTable {
    return mergeTables([...this.#sites].map(([context, site]) => qualifyTable(tableOf(site), context)));
  }
}

function qualify(object: KubeObject, context: string): KubeObject {
  const { namespace } = object.metadata;
  if (namespace === undefined) return object;
  return { ...object, metadata: { ...object.metadata, namespace: qualifyName(context, namespace) } };
}
