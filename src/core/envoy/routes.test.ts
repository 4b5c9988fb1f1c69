import { fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RouteSchema } from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import type { Arm, Destination, HttpRouting, Route, VirtualHost } from "../routes/route-table.ts";
import { runtimeKeyPrefix } from "./names.ts";
import { encodeRouteForm } from "./encode-routes.ts";
import { emitRouteConfiguration } from "./routes.ts";
import { envoyTypes } from "./types.ts";

const none = { set: [], add: [], remove: [] };
const at = { file: "a.yaml", line: 1, column: 1 };

function arm(destination: string, weight: number, over: Partial<Arm> = {}): Arm {
  return { destination, weight, isDeclared: true, requestHeaders: none, responseHeaders: none, ...over };
}

function route(arms: readonly Arm[]): Route {
  return {
    origin: { virtualService: "ns/app", rule: 0, match: undefined, at },
    name: "",
    match: { path: { kind: "prefix", value: "/", ignoreCase: false }, headers: [], query: [] },
    action: {
      kind: "forward",
      split: { id: "ns/app/0", arms },
      pathRewrite: undefined,
      hostRewrite: undefined,
      timeoutMs: 0,
      retry: undefined,
      mirrors: [],
      requestHeaders: { set: [["x-route", "1"]], add: [], remove: [] },
      responseHeaders: none,
    },
  };
}

function routing(virtualHosts: readonly VirtualHost[]): HttpRouting {
  return { id: "a=b:80", virtualHosts };
}

function host(domain: string, arms: readonly Arm[]): VirtualHost {
  return { domain, requiresHttps: false, routes: [route(arms)] };
}

function destination(id: string): Destination {
  return {
    id,
    host: id,
    subset: undefined,
    port: 80,
    protocol: "http",
    resolution: "static",
    endpoints: [],
    policy: {
      loadBalancer: { kind: "random" },
      connectTimeoutMs: 1,
      maxConnections: undefined,
      maxPendingRequests: undefined,
      maxRequests: undefined,
      maxRetries: undefined,
      maxRequestsPerConnection: undefined,
      maxConcurrentStreams: undefined,
      maxConnectionDurationMs: undefined,
      idleTimeoutMs: undefined,
      usesClientProtocol: false,
      outlierDetection: undefined,
    },
  };
}

const known = new Map(["b", "g"].map((id) => [id, destination(id)]));

function firstAction(table: HttpRouting, destinations: ReadonlyMap<string, Destination> = known): unknown {
  const message = emitRouteConfiguration(table, destinations);
  const [route] = message.virtualHosts[0]?.routes ?? [];
  return route === undefined ? undefined : toJson(RouteSchema, route, { registry: envoyTypes });
}

test("spliced bytes decode to the emitted message, also after one host of many has changed", () => {
  const hosts = Array.from({ length: 20 }, (_, index) => host(`h${index}.test`, [arm("b", 1), arm("g", 0)]));
  const changed = hosts.with(7, host("h7.test", [arm("b", 0), arm("g", 1)]));
  const destinations = new Map();
  for (const virtualHosts of [hosts, changed, hosts]) {
    const table = routing(virtualHosts);
    const spliced = fromBinary(
      RouteConfigurationSchema,
      encodeRouteForm(table, destinations, "whole").get(table.id) ?? new Uint8Array(),
    );
    const emitted = emitRouteConfiguration(table, destinations);
    expect(toBinary(RouteConfigurationSchema, spliced)).toEqual(toBinary(RouteConfigurationSchema, emitted));
  }
});

test("a table always has its clusters validated, because Envoy would take an unknown one and answer 503", () => {
  expect(emitRouteConfiguration(routing([]), new Map())).toMatchObject({
    name: "a=b:80",
    validateClusters: true,
    ignorePortInHostMatching: true,
  });
});

test("two arms are weighted clusters with runtime keys, idle ones included", () => {
  expect(firstAction(routing([host("*", [arm("b", 100), arm("g", 0, { isDeclared: false })])]))).toMatchObject({
    name: "ns/app/0",
    route: {
      timeout: "0s",
      weightedClusters: {
        runtimeKeyPrefix: runtimeKeyPrefix("ns/app/0", ["b", "g"]),
        clusters: [
          { name: "b", weight: 100 },
          { name: "g", weight: 0 },
        ],
      },
    },
  });
});

test("a single arm that leads nowhere names no cluster at all, and one among others keeps its name", () => {
  expect(firstAction(routing([host("*", [arm("x", 1)])]))).toMatchObject({ route: { clusterHeader: ":path" } });
  expect(firstAction(routing([host("*", [arm("x", 1), arm("b", 1)])]))).toMatchObject({
    route: { weightedClusters: { clusters: [{ name: "x" }, { name: "b" }] } },
  });
});

test("a single arm is a plain cluster unless it has changes of its own", () => {
  expect(firstAction(routing([host("*", [arm("b", 0)])]))).toMatchObject({ route: { cluster: "b" } });
  const headers = { set: [["x-arm", "2"] as const], add: [], remove: ["x-gone"] };
  const own = arm("b", 1, { requestHeaders: headers, hostRewrite: "b.org" });
  expect(firstAction(routing([host("*", [own])]))).toMatchObject({
    route: {
      weightedClusters: {
        clusters: [
          {
            name: "b",
            hostRewriteLiteral: "b.org",
            requestHeadersToAdd: [{ header: { key: "x-arm" } }],
            requestHeadersToRemove: ["x-gone"],
          },
        ],
      },
    },
    requestHeadersToAdd: [{ header: { key: "x-route" } }],
  });
});
