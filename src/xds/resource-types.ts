/**
 * The seven kinds of resources, in the order in which they must reach a proxy: a cluster or a listener that names a secret
 * waits for it, a route may only name clusters that are there, and a weight only a route that is there (Envoy doc:
 * "Eventual consistency considerations").
 */
export const resourceTypes = ["secrets", "clusters", "endpoints", "listeners", "scopes", "routes", "runtime"] as const;

export type ResourceType = (typeof resourceTypes)[number];

const prefix = "type.googleapis.com/";

export const typeUrls: Readonly<Record<ResourceType, string>> = {
  secrets: `${prefix}envoy.extensions.transport_sockets.tls.v3.Secret`,
  clusters: `${prefix}envoy.config.cluster.v3.Cluster`,
  endpoints: `${prefix}envoy.config.endpoint.v3.ClusterLoadAssignment`,
  listeners: `${prefix}envoy.config.listener.v3.Listener`,
  scopes: `${prefix}envoy.config.route.v3.ScopedRouteConfiguration`,
  routes: `${prefix}envoy.config.route.v3.RouteConfiguration`,
  runtime: `${prefix}envoy.service.runtime.v3.Runtime`,
};

/** Undefined for a type that kirikae does not serve. */
export function resourceTypeOf(typeUrl: string): ResourceType | undefined {
  return resourceTypes.find((type) => typeUrls[type] === typeUrl);
}
