import { toBinary } from "@bufbuild/protobuf";
import { type EmitOptions, encodeDnsClusters, encodeEndpoints, encodeRoutes } from "../../core/envoy/emit-envoy.ts";
import { epochRuntimeKey, epochSlots, runtimeLayerName } from "../../core/envoy/names.ts";
import { runtimeKeyPrefixOf } from "../../core/envoy/route-actions.ts";
import { emitRuntime, type RuntimeWeights } from "../../core/envoy/runtime.ts";
import type {
  DestinationId,
  HttpRouting,
  RouteTable,
  Split,
  SplitId,
  SplitWeights,
  WeightOverrides,
} from "../../core/routes/route-table.ts";
import { withWeights } from "../../core/routes/weights.ts";
import { RuntimeSchema } from "../../gen/envoy/service/runtime/v3/rtds_pb.ts";
import type { XdsServer } from "../../xds/server.ts";
import {
  buildResources,
  emptySnapshot,
  type Resource,
  type ResourcesByName,
  type Snapshot,
} from "../../xds/snapshot.ts";
import { fullWeights, movableSplits, parseRuntimeWeights } from "./runtime-weights.ts";

/** A destination that the table no longer has. */
export interface RetiredDestination {
  readonly cluster: Resource;
  readonly endpoints: Resource | undefined;
}

/** What the table no longer names, kept until nothing uses it. */
export interface Retired {
  readonly destinations: ReadonlyMap<DestinationId, RetiredDestination>;
  /** Those destinations may need them, on a proxy that starts. */
  readonly secrets: ResourcesByName;
}

export const nothingRetired: Retired = { destinations: new Map(), secrets: new Map() };

/** What can be put back after a refused push. */
export interface SavedState {
  readonly snapshot: Snapshot;
  readonly table: RouteTable | undefined;
  readonly wanted: WeightOverrides;
  readonly emit: EmitOptions;
  readonly layer: RuntimeWeights;
}

/**
 * What is wanted and what was pushed. The weights of a split live in the route configuration or, where they differ from
 * it, in the runtime layer; `layer` holds all arms of such a split. After a change of tables it may still hold a split with
 * the arms it had before, for the proxies that use those routes.
 */
export class PushedState {
  readonly #server: XdsServer;
  #emit: EmitOptions;
  #table: RouteTable | undefined;
  #splits: ReadonlyMap<SplitId, Split> = new Map();
  #wanted = new Map<SplitId, SplitWeights>();
  #layer: RuntimeWeights = new Map();
  #epoch = 0;
  #staticRoutings: ReadonlyMap<string, HttpRouting> = new Map();
  retired = nothingRetired;
  isCounting = false;
  /** While tables change, the routes are not touched by anything else. */
  isChangingTables = false;

  constructor(server: XdsServer, emit: EmitOptions) {
    this.#server = server;
    this.#emit = emit;
  }

  /** With the weights that the manifests declare. */
  get table(): RouteTable | undefined {
    return this.#table;
  }

  get splits(): ReadonlyMap<SplitId, Split> {
    return this.#splits;
  }

  get layer(): RuntimeWeights {
    return this.#layer;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get snapshot(): Snapshot {
    return this.#server.snapshot ?? emptySnapshot;
  }

  get runtimeResource(): { readonly name: string; readonly version: string } {
    return { name: runtimeLayerName, version: this.snapshot.runtime?.get(runtimeLayerName)?.version ?? "" };
  }

  save(): SavedState {
    return {
      snapshot: this.snapshot,
      table: this.#table,
      wanted: new Map(this.#wanted),
      emit: this.#emit,
      layer: this.#layer,
    };
  }

  /** Publishes what ran before, under a new epoch so that its arrival can be proved. */
  restore(saved: SavedState): void {
    this.setTable(saved.table, saved.wanted, saved.emit);
    this.publish({ ...saved.snapshot, runtime: this.snapshot.runtime });
    this.publishRuntime(saved.layer);
  }

  /** Takes over the weights and the epoch of an Envoy that ran before this process did. */
  adopt(runtime: ReadonlyMap<string, string>): void {
    this.#layer = new Map([...this.#layer, ...parseRuntimeWeights(runtime)]);
    const isTaken = (slot: number) => runtime.has(epochRuntimeKey(slot));
    while (isTaken((this.#epoch + 1) % epochSlots)) this.#epoch += 1;
  }

  /** Where the table's listeners and replicas are on this machine. */
  get emit(): EmitOptions {
    return this.#emit;
  }

  /** A table comes with its own addresses, so that none is ever published with those of another. */
  setTable(table: RouteTable | undefined, wanted: WeightOverrides, emit: EmitOptions): void {
    this.#emit = emit;
    this.#table = table;
    this.#splits = table === undefined ? new Map() : movableSplits(table);
    this.#wanted = new Map(wanted);
  }

  publish(changed: Partial<Snapshot>): void {
    this.#server.publish({ ...this.snapshot, ...changed });
  }

  /** Publishes a layer under the next epoch. */
  publishRuntime(layer: RuntimeWeights): void {
    this.#layer = layer;
    this.#epoch += 1;
    const message = emitRuntime({ epoch: this.#epoch, isCounting: this.isCounting, weights: layer });
    const bytes = toBinary(RuntimeSchema, message);
    this.publish({ runtime: buildResources(new Map([[runtimeLayerName, bytes]])) });
  }

  /** Publishes weights for some splits; the others stay. */
  publishWeights(weights: WeightOverrides): void {
    const layer = new Map(this.#layer);
    for (const [id, value] of weights) {
      const split = this.#splits.get(id);
      if (split === undefined) continue;
      const full = fullWeights(split, value);
      this.#wanted.set(id, full);
      layer.set(runtimeKeyPrefixOf(split), full);
    }
    this.publishRuntime(layer);
  }

  /** The route configurations with the wanted weights; remembers what each version of them says. */
  buildRoutes(): ResourcesByName {
    const table = this.#table;
    if (table === undefined) return new Map();
    const weighted = withWeights(table, this.#wanted);
    const routes = buildResources(encodeRoutes(weighted), this.snapshot.routes);
    this.rememberRoutes(weighted, routes);
    return routes;
  }

  /** So that a proxy's word "I run this version" can be read as weights without fetching its whole configuration. */
  rememberRoutes(table: RouteTable, routes: ResourcesByName): void {
    const known = new Map([...this.#staticRoutings].slice(-maxRememberedRoutings));
    for (const routing of table.httpRoutings) {
      const version = routes.get(routing.id)?.version;
      if (version !== undefined) known.set(version, routing);
    }
    this.#staticRoutings = known;
  }

  /** The routing that a version of a route configuration was made of, with its weights. */
  routingOf(version: string): HttpRouting | undefined {
    return this.#staticRoutings.get(version);
  }

  /** Publishes where replicas listen now: as endpoints, and in the clusters that carry their own. */
  publishEndpoints(): void {
    if (this.#table === undefined) return;
    const { clusters, endpoints } = this.snapshot;
    const fresh = buildResources(encodeEndpoints(this.#table, this.#emit.endpoints), endpoints);
    const byDns = buildResources(encodeDnsClusters(this.#table, this.#emit.endpoints), clusters);
    const kept = [...this.retired.destinations].flatMap(([id, { endpoints: old }]) =>
      old === undefined ? [] : [[id, old] as const],
    );
    const isChanged = [...byDns].some(([id, cluster]) => clusters?.get(id) !== cluster);
    this.publish({
      endpoints: new Map([...kept, ...fresh]),
      ...(isChanged ? { clusters: new Map([...(clusters ?? []), ...byDns]) } : {}),
    });
  }

  /** What a rewrite of the routes would make every proxy read. */
  get routeBytes(): number {
    return [...(this.snapshot.routes ?? [])].reduce((sum, [, { bytes }]) => sum + bytes.length, 0);
  }
}

const maxRememberedRoutings = 16;
