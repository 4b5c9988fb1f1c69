import { toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import { SecretSchema } from "../../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import type { Destination, DestinationId, RouteTable } from "../routes/route-table.ts";
import { emitPlaceholder, usesEds } from "./clusters.ts";
import { reconcileMap } from "./derived-map.ts";
import { type EmitOptions, emitListeners } from "./emit-envoy.ts";
import { dependsOnReplicas, encodeCluster, encodeEndpointsOf } from "./encode-destinations.ts";
import type { LocalEndpoints } from "./endpoints.ts";
import { NamedDestinations } from "./named-destinations.ts";
import { RouteEncoder } from "./route-encoder.ts";
import type { RouteForms } from "./route-forms.ts";
import { emitSecrets } from "./secrets.ts";

export type EncodedByName = ReadonlyMap<string, Uint8Array>;

export interface EncodedResources {
  readonly secrets: EncodedByName;
  readonly clusters: EncodedByName;
  readonly endpoints: EncodedByName;
  readonly listeners: EncodedByName;
  readonly scopes: EncodedByName;
  readonly routes: EncodedByName;
}

type Destinations = ReadonlyMap<DestinationId, Destination>;

/**
 * Encodes one table after another. What a table has in common with the one before costs a comparison at most: a list of
 * resources that did not change is the same map as before, and one that changed knows what is new in it.
 */
export class EnvoyEncoder {
  readonly #routes = new RouteEncoder();
  readonly #named = new NamedDestinations();
  #destinations: Destinations | undefined;
  #undeclared: ReadonlySet<DestinationId> = new Set();
  #replicated: readonly Destination[] = [];
  #last: EncodedResources = {
    secrets: new Map(),
    clusters: new Map(),
    endpoints: new Map(),
    listeners: new Map(),
    scopes: new Map(),
    routes: new Map(),
  };

  encode(table: RouteTable, options: EmitOptions, forms: RouteForms): EncodedResources {
    const { routes, scopes } = this.#routes.encode(table, forms);
    const destinations = this.#encodeDestinations(table, options.endpoints);
    const secrets = new Map(
      emitSecrets(table, options.systemTrust).map((secret) => [secret.name, toBinary(SecretSchema, secret)] as const),
    );
    const listeners = new Map(
      emitListeners(table, options, forms).map(
        (listener) => [listener.name, toBinary(ListenerSchema, listener)] as const,
      ),
    );
    this.#last = {
      secrets: reconcileMap(this.#last.secrets, secrets, isEqual),
      ...destinations,
      listeners: reconcileMap(this.#last.listeners, listeners, isEqual),
      scopes,
      routes,
    };
    return this.#last;
  }

  /** The route configurations alone: all that a change of weights rewrites. */
  encodeRoutes(table: RouteTable, forms: RouteForms): EncodedByName {
    return this.#routes.encode(table, forms).routes;
  }

  /** Clusters and endpoints alone: all that a replica's coming and going changes. */
  encodeDestinations(table: RouteTable, local: LocalEndpoints): Pick<EncodedResources, "clusters" | "endpoints"> {
    const encoded = this.#encodeDestinations(table, local);
    this.#last = { ...this.#last, ...encoded };
    return encoded;
  }

  #encodeDestinations(table: RouteTable, local: LocalEndpoints): Pick<EncodedResources, "clusters" | "endpoints"> {
    const { destinations } = table;
    const undeclared = this.#named.missingFrom(table);
    const { clusters, endpoints } = this.#last;
    if (destinations === this.#destinations && undeclared === this.#undeclared) {
      return {
        clusters: reconcileSome(clusters, this.#replicated, (each) => encodeCluster(each, local)),
        endpoints: reconcileSome(endpoints, this.#replicated.filter(usesEds), (each) => encodeEndpointsOf(each, local)),
      };
    }
    this.#destinations = destinations;
    this.#undeclared = undeclared;
    this.#replicated = [...destinations.values()].filter(dependsOnReplicas);
    const nextClusters = new Map<string, Uint8Array>();
    const nextEndpoints = new Map<string, Uint8Array>();
    for (const destination of destinations.values()) {
      nextClusters.set(destination.id, encodeCluster(destination, local));
      if (usesEds(destination)) nextEndpoints.set(destination.id, encodeEndpointsOf(destination, local));
    }
    for (const id of undeclared) nextClusters.set(id, toBinary(ClusterSchema, emitPlaceholder(id)));
    return {
      clusters: reconcileMap(clusters, nextClusters, isEqual),
      endpoints: reconcileMap(endpoints, nextEndpoints, isEqual),
    };
  }
}

function reconcileSome(
  before: EncodedByName,
  destinations: readonly Destination[],
  encode: (destination: Destination) => Uint8Array,
): EncodedByName {
  if (destinations.length === 0) return before;
  const changes = new Map<string, Uint8Array>();
  for (const destination of destinations) {
    const bytes = encode(destination);
    const known = before.get(destination.id);
    if (known === undefined || !isEqual(known, bytes)) changes.set(destination.id, bytes);
  }
  return changes.size === 0 ? before : reconcileMap(before, new Map([...before, ...changes]));
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one === other || (one.length === other.length && one.every((byte, index) => byte === other[index]));
}
