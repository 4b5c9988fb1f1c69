import { lenientList, transform } from "../decode/collections.ts";
import type { Decoder } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import type { GatewayApiRouteSpec } from "../gateway-api-route.ts";

const parent = object({
  fields: {
    group: withDefault(string, "gateway.networking.k8s.io"),
    kind: withDefault(string, "Gateway"),
    namespace: optional(string),
    name: required(string),
  },
  others: "ignore",
});

const route = object({
  fields: { hostnames: withDefault(lenientList(string), []), parentRefs: withDefault(lenientList(parent), []) },
  others: "ignore",
});

/** Its hosts alone, so that it can be said that requests for them may go where nothing that is read tells. */
export const decodeGatewayApiRoute: Decoder<GatewayApiRouteSpec> = transform(
  route,
  ({ hostnames, parentRefs }, _place, context) => ({
    hosts: hostnames.map((host) => host.toLowerCase()),
    parents: parentRefs.map((each) => ({ ...each, namespace: each.namespace ?? context.namespace })),
  }),
);
