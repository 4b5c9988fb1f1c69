import { type JsonObject, toJson } from "@bufbuild/protobuf";
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
import type { DestinationId, Listener, Route, RouteTable } from "../routes/route-table.ts";
import { emitCluster, emitPlaceholder, usesEds } from "./clusters.ts";
import { emitEndpoints, type HostPort, type LocalEndpoints } from "./endpoints.ts";
import { emitListener } from "./listeners.ts";
import { usesRequestHosts } from "./request-hosts.ts";
import { type RouteForms, wholeRoutes } from "./route-forms.ts";
import { emitRouteConfiguration } from "./routes.ts";
import { emitSecrets, type SystemTrust, withholdKey } from "./secrets.ts";
import { envoyTypes } from "./types.ts";

export interface EmitOptions {
  /** Where a listener listens on this machine; not asked for inbound ones, which have no address. */
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

/**
 * Emits a route table as messages, with every routing whole; `EnvoyEncoder` gives bytes, in the form that serves a large
 * routing best, and from a table that changed a little only what is new.
 */
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

/** Envoy refuses a listener without filter chains. */
export function emitListeners(
  table: RouteTable,
  options: EmitOptions,
  { scoped }: Pick<RouteForms, "scoped"> = wholeRoutes,
): readonly EnvoyListener[] {
  const { destinations, secrets } = table;
  const surroundings = { destinations, secrets, usesRequestHosts: usesRequestHosts(destinations), scoped };
  return table.listeners
    .map((listener) => emitListener(listener, { ...surroundings, address: placeOf(listener, options) }))
    .filter(({ filterChains }) => filterChains.length > 0);
}

function placeOf(listener: Listener, options: EmitOptions): HostPort | undefined {
  return listener.role.kind === "inbound" ? undefined : options.bind(listener);
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
