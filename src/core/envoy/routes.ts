import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import {
  type RouteSchema,
  VirtualHost_TlsRequirementType as TlsRequirement,
  VirtualHostSchema,
  type VirtualHost as EnvoyVirtualHost,
} from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import { CorsPolicySchema } from "../../gen/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
import { HTTPFaultSchema } from "../../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
import type {
  Destination,
  DestinationId,
  DirectAction,
  ForwardAction,
  HeaderMutation,
  HttpRouting,
  RedirectAction,
  Route,
  RouteAction,
  VirtualHost,
} from "../routes/route-table.ts";
import { emitCors } from "./cors.ts";
import { packSettings } from "./extension.ts";
import { emitFault } from "./faults.ts";
import { emitHeaderFields } from "./header-mutations.ts";
import { emitRouteMatch } from "./matches.ts";
import { corsFilterName, faultFilterName } from "./names.ts";
import { emitDirect, emitForward, emitRedirect } from "./route-actions.ts";
import { routeName } from "./route-name.ts";
import type { Init } from "./init.ts";

type Destinations = ReadonlyMap<DestinationId, Destination>;
type RouteInit = Init<typeof RouteSchema>;

/** Emits the route configuration of a routing; it has the routing's id as its name. */
export function emitRouteConfiguration(routing: HttpRouting, destinations: Destinations): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    ...emitRouteSettings(routing.id, routing),
    virtualHosts: routing.virtualHosts.map((host) => emitVirtualHost(host, destinations)),
  });
}

/** What all route configurations of a routing have in common. */
export function emitRouteSettings(name: string, routing: HttpRouting): Init<typeof RouteConfigurationSchema> {
  return {
    name,
    // Without it Envoy accepts a route to an unknown cluster and answers 503.
    validateClusters: true,
    ignorePortInHostMatching: routing.matchesPorts !== true,
    maxDirectResponseBodySizeBytes: 1024 * 1024,
  };
}

/** Emits a virtual host of a whole routing. */
export function emitVirtualHost(host: VirtualHost, destinations: Destinations): EnvoyVirtualHost {
  return create(VirtualHostSchema, {
    name: host.domain,
    domains: [host.domain, ...(host.aliases ?? [])],
    // As Istio: an app sees by it how often its request was tried.
    includeRequestAttemptCount: true,
    requireTls: host.requiresHttps ? TlsRequirement.ALL : TlsRequirement.NONE,
    routes: host.routes.map((route) => emitRoute(route, destinations)),
  });
}

function emitRoute(route: Route, destinations: Destinations): RouteInit {
  return {
    name: routeName(route),
    match: emitRouteMatch(route.match),
    statPrefix: route.statPrefix ?? "",
    typedPerFilterConfig: emitFilterSettings(route),
    ...emitAction(route.action, destinations),
  };
}

function emitAction(action: RouteAction, destinations: Destinations): Partial<RouteInit> {
  switch (action.kind) {
    case "redirect":
      return { action: { case: "redirect", value: emitRedirect(action) }, ...own(action) };
    case "direct":
      return { action: { case: "directResponse", value: emitDirect(action) }, ...own(action) };
    case "forward":
      return {
        action: { case: "route", value: emitForward(action, destinations) },
        ...emitHeaderFields(action.requestHeaders, withVisitorCookie(action)),
      };
  }
}

/** A visitor that was sent by the id of its request has it as a cookie from then on. */
function withVisitorCookie({ responseHeaders, split: { chosenBy } }: ForwardAction): HeaderMutation {
  if (chosenBy?.kind !== "newCookie") return responseHeaders;
  const seconds = Math.ceil(chosenBy.maxAgeMs / 1000);
  // A percent sign begins a command in the value of a header (Envoy doc: access log format).
  const name = chosenBy.name.replaceAll("%", "%%");
  const value = `${name}=%REQ(X-REQUEST-ID)%; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax`;
  return { ...responseHeaders, add: [...responseHeaders.add, ["set-cookie", value]] };
}

/** What this route wants of the filters that every chain has. */
function emitFilterSettings({ fault, cors }: Route): Record<string, Any> {
  return {
    ...(fault === undefined ? {} : { [faultFilterName]: packSettings(HTTPFaultSchema, emitFault(fault)) }),
    ...(cors === undefined ? {} : { [corsFilterName]: packSettings(CorsPolicySchema, emitCors(cors)) }),
  };
}

/** The header changes of an answer that Envoy gives itself. */
function own({ responseHeaders = unchanged }: RedirectAction | DirectAction): Partial<RouteInit> {
  return emitHeaderFields(unchanged, responseHeaders);
}

const unchanged: HeaderMutation = { set: [], add: [], remove: [] };
