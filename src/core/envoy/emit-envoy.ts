import { type JsonObject, toBinary, toJson } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { type Listener as EnvoyListener, ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import {
  type Secret as EnvoySecret,
  SecretSchema,
} from "../../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import type { Destination, DestinationId, Listener, Route, RouteTable } from "../routes/route-table.ts";
import { emitCluster, emitPlaceholder, usesEds } from "./clusters.ts";
import { emitEndpoints, type HostPort, type LocalEndpoints } from "./endpoints.ts";
import { emitListener } from "./listeners.ts";
import { usesRequestHosts } from "./request-hosts.ts";
import { emitRouteConfiguration, encodeRouteConfiguration } from "./routes.ts";
import { emitSecrets, type SystemTrust, withholdKey } from "./secrets.ts";
import { envoyTypes } from "./types.ts";

export interface EmitOptions {
  /** Where a listener listens on this machine. */
  bind(listener: Listener): HostPort;
  readonly endpoints: LocalEndpoints;
  /** Without it, destinations that trust what this machine trusts trust nobody. */
  readonly systemTrust?: SystemTrust;
}

/** Everything Envoy needs to serve a route table, by resource type. */
export interface EnvoyResources {
  readonly secrets: readonly EnvoySecret[];
  readonly clusters: readonly Cluster[];
  readonly endpoints: readonly ClusterLoadAssignment[];
  readonly listeners: readonly EnvoyListener[];
  readonly routes: readonly RouteConfiguration[];
}

/** Emits a route table as messages; `encodeEnvoy` is the same as bytes, and faster for a table that changed a little. */
export function emitEnvoy(table: RouteTable, options: EmitOptions): EnvoyResources {
  const destinations = [...table.destinations.values()];
  return {
    secrets: emitSecrets(table, options.systemTrust),
    clusters: [
      ...destinations.map((destination) => emitCluster(destination, options.endpoints)),
      ...[...undeclaredDestinations(table)].map(emitPlaceholder),
    ],
    endpoints: destinations.filter(usesEds).map((destination) => emitEndpoints(destination, options.endpoints)),
    listeners: emitListeners(table, options),
    routes: table.httpRoutings.map((routing) => emitRouteConfiguration(routing, table.destinations)),
  };
}

export type EncodedByName = ReadonlyMap<string, Uint8Array>;

export interface EncodedResources {
  readonly secrets: EncodedByName;
  readonly clusters: EncodedByName;
  readonly endpoints: EncodedByName;
  readonly listeners: EncodedByName;
  readonly routes: EncodedByName;
}

export function encodeEnvoy(table: RouteTable, options: EmitOptions): EncodedResources {
  return {
    secrets: encodeSecrets(table, options.systemTrust),
    clusters: encodeClusters(table, options.endpoints),
    endpoints: encodeEndpoints(table, options.endpoints),
    listeners: new Map(
      emitListeners(table, options).map((listener) => [listener.name, toBinary(ListenerSchema, listener)]),
    ),
    routes: encodeRoutes(table),
  };
}

/** Envoy refuses a listener without filter chains. */
function emitListeners(table: RouteTable, options: EmitOptions): readonly EnvoyListener[] {
  const { destinations, secrets } = table;
  const surroundings = { destinations, secrets, usesRequestHosts: usesRequestHosts(destinations) };
  return table.listeners
    .map((listener) => emitListener(listener, { ...surroundings, address: options.bind(listener) }))
    .filter(({ filterChains }) => filterChains.length > 0);
}

/** The route configurations alone: all that a change of weights rewrites. */
export function encodeRoutes(table: RouteTable): EncodedByName {
  return new Map(
    table.httpRoutings.map((routing) => [routing.id, encodeRouteConfiguration(routing, table.destinations)]),
  );
}

/** The endpoints alone: all that a replica's coming and going changes. */
export function encodeEndpoints(table: RouteTable, local: LocalEndpoints): EncodedByName {
  const encoded = new Map<string, Uint8Array>();
  for (const destination of table.destinations.values()) {
    if (!usesEds(destination)) continue;
    encoded.set(destination.id, toBinary(ClusterLoadAssignmentSchema, emitEndpoints(destination, local)));
  }
  return encoded;
}

/** The clusters that carry their endpoints themselves: what a replica's coming and going changes beside those. */
export function encodeDnsClusters(table: RouteTable, local: LocalEndpoints): EncodedByName {
  const destinations = [...table.destinations.values()].filter((destination) => !usesEds(destination));
  return new Map(destinations.map((destination) => [destination.id, encodeCluster(destination, local)]));
}

/** The resources as JSON, as `envoy --mode validate` and golden files read them; keys are left out. */
export function renderEnvoyJson(resources: EnvoyResources): JsonObject {
  const options = { registry: envoyTypes };
  return {
    secrets: resources.secrets.map((secret) => toJson(SecretSchema, withholdKey(secret), options)),
    clusters: resources.clusters.map((cluster) => toJson(ClusterSchema, cluster, options)),
    endpoints: resources.endpoints.map((assignment) => toJson(ClusterLoadAssignmentSchema, assignment, options)),
    listeners: resources.listeners.map((listener) => toJson(ListenerSchema, listener, options)),
    routes: resources.routes.map((routes) => toJson(RouteConfigurationSchema, routes, options)),
  };
}

function encodeSecrets(table: RouteTable, system: SystemTrust): EncodedByName {
  return new Map(emitSecrets(table, system).map((secret) => [secret.name, toBinary(SecretSchema, secret)]));
}

function encodeClusters(table: RouteTable, local: LocalEndpoints): EncodedByName {
  const encoded = new Map<string, Uint8Array>();
  for (const destination of table.destinations.values()) {
    encoded.set(destination.id, encodeCluster(destination, local));
  }
  for (const id of undeclaredDestinations(table)) encoded.set(id, toBinary(ClusterSchema, emitPlaceholder(id)));
  return encoded;
}

const encodedClusters = new WeakMap<Destination, Uint8Array>();

/** An EDS cluster depends on its destination alone; one by DNS carries its endpoints too. */
function encodeCluster(destination: Destination, local: LocalEndpoints): Uint8Array {
  const known = encodedClusters.get(destination);
  if (known !== undefined) return known;
  const bytes = toBinary(ClusterSchema, emitCluster(destination, local));
  if (usesEds(destination)) encodedClusters.set(destination, bytes);
  return bytes;
}

/** Destinations that a route names and the table lacks. */
function undeclaredDestinations(table: RouteTable): ReadonlySet<DestinationId> {
  const undeclared = new Set<DestinationId>();
  const note = ({ destination: id }: { readonly destination: DestinationId }): void => {
    if (!table.destinations.has(id)) undeclared.add(id);
  };
  for (const { serves } of table.listeners.flatMap(({ filterChains }) => filterChains)) {
    if (serves.kind === "tcp") serves.route.split.arms.forEach(note);
  }
  for (const { virtualHosts } of table.httpRoutings) {
    for (const host of virtualHosts) {
      host.routes.flatMap(namedDestinations).forEach(note);
    }
  }
  return undeclared;
}

function namedDestinations({ action }: Route): readonly { readonly destination: DestinationId }[] {
  return action.kind === "forward" ? [...action.split.arms, ...action.mirrors] : [];
}
