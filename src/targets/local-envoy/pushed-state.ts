import { toBinary } from "@bufbuild/protobuf";
import { compareLists } from "../../core/envoy/compare-lists.ts";
import { derivationOf, deriveMap } from "../../core/envoy/derived-map.ts";
import type { EmitOptions } from "../../core/envoy/emit-envoy.ts";
import { EnvoyEncoder } from "../../core/envoy/encode-envoy.ts";
import { epochRuntimeKey, epochSlots, runtimeLayerName } from "../../core/envoy/names.ts";
import {
  chooseRouteForm,
  type RouteForms,
  scopedPartName,
  sharedScope,
  wholeRoutes,
} from "../../core/envoy/route-forms.ts";
import { runtimeKeyPrefixOf } from "../../core/envoy/route-actions.ts";
import { parseInboundName } from "../../core/routes/inbound-names.ts";
import { steadyWeights } from "../../core/envoy/steady-weights.ts";
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
import type { ResourceType } from "../../xds/resource-types.ts";
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
  /** Those before workloads, which those destinations lead through. */
  readonly listeners: ResourcesByName;
}

export const nothingRetired: Retired = { destinations: new Map(), secrets: new Map(), listeners: new Map() };

/** What can be put back after a refused push. */
export interface SavedState {
  readonly snapshot: Snapshot;
  readonly table: RouteTable | undefined;
  readonly wanted: WeightOverrides;
  readonly emit: EmitOptions;
  readonly layer: RuntimeWeights;
  readonly forms: RouteForms;
}

/** Route configurations as they were published, and the table that they were made of. */
export interface PublishedRoutes {
  readonly table: RouteTable;
  readonly routes: ResourcesByName;
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
  #splits: ReadonlyMap<SplitId, Split> | undefined;
  #wanted = new Map<SplitId, SplitWeights>();
  #layer: RuntimeWeights = new Map();
  #epoch = 0;
  #published: readonly PublishedRoutes[] = [];
  #forms = wholeRoutes;
  readonly #encoder = new EnvoyEncoder();
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
    // Moves are rarer than saved files, so that files do not wait for it.
    this.#splits ??= this.#table === undefined ? new Map() : movableSplits(this.#table);
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

  /** The weights that moves have given, whether they are in the layer or in the routes. */
  get wanted(): WeightOverrides {
    return this.#wanted;
  }

  save(): SavedState {
    return {
      snapshot: this.snapshot,
      table: this.#table,
      wanted: new Map(this.#wanted),
      emit: this.#emit,
      layer: this.#layer,
      forms: this.#forms,
    };
  }

  /** Publishes what ran before, under a new epoch so that its arrival can be proved. */
  restore(saved: SavedState): void {
    this.setTable(saved.table, saved.wanted, saved);
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
  setTable(
    table: RouteTable | undefined,
    wanted: WeightOverrides,
    { emit, forms }: Pick<SavedState, "emit" | "forms">,
  ): void {
    this.#emit = emit;
    this.#forms = forms;
    this.#table = table;
    this.#splits = undefined;
    this.#wanted = new Map(wanted);
  }

  /**
   * The forms in which a table's routings are given next. One that is scoped stays so, because a change of form drains
   * the connections of its listener; the whole form of one that was not lingers until those are gone.
   */
  chooseForms(table: RouteTable): RouteForms {
    const asked = (name: string): boolean =>
      this.#server.connected.some((node) => this.#server.asksFor(node, "routes", name));
    const scoped = table.httpRoutings.filter((routing) => {
      const isScoped = this.#forms.scoped.has(routing.id) || asked(`${routing.id}/${sharedScope}`);
      return chooseRouteForm(routing, isScoped ? "scoped" : undefined) === "scoped";
    });
    const lingering = scoped.filter(({ id }) => asked(id));
    return { scoped: new Set(scoped.map(({ id }) => id)), lingering: new Set(lingering.map(({ id }) => id)) };
  }

  /** The resources of a table, those that are as before as the very same maps. */
  encode(table: RouteTable, emit: EmitOptions, forms: RouteForms): EncodedSnapshot {
    const encoded = this.#encoder.encode(table, emit, forms);
    const before = this.snapshot;
    return {
      secrets: buildResources(encoded.secrets, before.secrets),
      clusters: buildResources(encoded.clusters, before.clusters),
      endpoints: buildResources(encoded.endpoints, before.endpoints),
      listeners: buildResources(encoded.listeners, before.listeners),
      scopes: buildResources(encoded.scopes, before.scopes),
      routes: buildResources(encoded.routes, before.routes),
    };
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
      const split = this.splits.get(id);
      if (split === undefined) continue;
      const full = fullWeights(split, value);
      this.#wanted.set(id, full);
      layer.set(runtimeKeyPrefixOf(split), steadyWeights(split, full));
    }
    this.publishRuntime(layer);
  }

  /** The route configurations with the wanted weights; remembers what each version of them says. */
  buildRoutes(): ResourcesByName {
    const table = this.#table;
    if (table === undefined) return new Map();
    const weighted = withWeights(table, this.#wanted);
    const routes = buildResources(this.#encoder.encodeRoutes(weighted, this.#forms), this.snapshot.routes);
    this.rememberRoutes(weighted, routes);
    return routes;
  }

  /** So that a proxy's word "I run this version" can be read as weights without fetching its whole configuration. */
  rememberRoutes(table: RouteTable, routes: ResourcesByName): void {
    this.#published = [{ table, routes }, ...this.#published].slice(0, maxRemembered);
  }

  /** The newest first. */
  get published(): readonly PublishedRoutes[] {
    return this.#published;
  }

  /**
   * Publishes where replicas listen behind what stands before them, and not yet who is ready. Returns whether any of it
   * has changed.
   */
  publishInbound(): boolean {
    const { endpoints: before } = this.snapshot;
    if (this.#table === undefined || before === undefined) return false;
    const encoded = this.#encoder.encodeDestinations(this.#table, this.#emit.endpoints);
    const next = buildResources(encoded.endpoints, before);
    const derivation = derivationOf(next);
    const touched = derivation?.base === before ? derivation.touched : [...next.keys()];
    const inbound = touched.filter((name) => before.has(name) && parseInboundName(name) !== undefined);
    const endpoints = deriveMap(before, new Map(inbound.map((name) => [name, next.get(name)])));
    if (endpoints === before) return false;
    this.publish({ endpoints });
    return true;
  }

  /** Publishes where replicas listen now: as endpoints, and in the clusters that carry their own. */
  publishEndpoints(): void {
    if (this.#table === undefined) return;
    const { clusters: oldClusters, endpoints: oldEndpoints } = this.snapshot;
    const encoded = this.#encoder.encodeDestinations(this.#table, this.#emit.endpoints);
    const clusters = new Map<string, Resource>();
    const endpoints = new Map<string, Resource>();
    for (const [id, { cluster, endpoints: old }] of this.retired.destinations) {
      clusters.set(id, cluster);
      if (old !== undefined) endpoints.set(id, old);
    }
    this.publish({
      clusters: deriveMap(buildResources(encoded.clusters, oldClusters), clusters),
      endpoints: deriveMap(buildResources(encoded.endpoints, oldEndpoints), endpoints),
    });
  }

  /** What a rewrite of the routes would make every proxy read. */
  get routeBytes(): number {
    const table = this.#table;
    const published = this.#published[0];
    if (table === undefined || published === undefined) return 0;
    const before = new Map(published.table.httpRoutings.map((routing) => [routing.id, routing]));
    return withWeights(table, this.#wanted).httpRoutings.reduce(
      (sum, routing) => sum + this.#rewrittenBytes(before.get(routing.id), routing),
      0,
    );
  }

  #rewrittenBytes(before: HttpRouting | undefined, after: HttpRouting): number {
    const sizeOf = (name: string): number => this.snapshot.routes?.get(name)?.bytes.length ?? 0;
    if (!this.#forms.scoped.has(after.id) || this.#forms.lingering.has(after.id)) return sizeOf(after.id);
    const { added } = compareLists(before?.virtualHosts ?? [], after.virtualHosts);
    const names = new Set(added.map((host) => scopedPartName(after.id, host)));
    return [...names].reduce((sum, name) => sum + sizeOf(name), 0);
  }
}

/** What `pushTable` publishes. */
export type EncodedSnapshot = Readonly<Record<Exclude<ResourceType, "runtime">, ResourcesByName>>;

const maxRemembered = 8;
