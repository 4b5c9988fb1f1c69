import { gatewayTable } from "../../../test/gateway-table.fixture.ts";
import { expect, test } from "vitest";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { HeaderMutation, PathMatch, Route, VirtualHost } from "../../core/routes/route-table.ts";
import { buildLostRequestTest } from "./lost-requests.ts";

const none: HeaderMutation = { set: [], add: [], remove: [] };
const at = { file: "test.yaml", line: 1, column: 1 };

function route(split: string, path: PathMatch): Route {
  return {
    origin: { virtualService: "test/app", rule: 0, match: undefined, at },
    name: "",
    match: { path, headers: [], query: [] },
    action: {
      kind: "forward",
      split: { id: split, arms: [] },
      pathRewrite: undefined,
      hostRewrite: undefined,
      timeoutMs: 0,
      retry: undefined,
      mirrors: [],
      requestHeaders: none,
      responseHeaders: none,
    },
  };
}

const all: PathMatch = { kind: "prefix", value: "/", ignoreCase: false };
const api: PathMatch = { kind: "prefix", value: "/api", ignoreCase: false };
const virtualHosts: readonly VirtualHost[] = [
  { domain: "app.test", requiresHttps: false, routes: [route("moved", all)] },
  { domain: "*.app.test", requiresHttps: false, routes: [route("moved", all)] },
  { domain: "special.app.test", requiresHttps: false, routes: [route("stays", all)] },
  { domain: "part.test", requiresHttps: false, routes: [route("moved", api)] },
];
const table = gatewayTable({ virtualHosts });
const plan: MovePlan = {
  verb: "switch",
  virtualService: "test/app",
  from: "blue",
  to: "green",
  changes: [{ split: "moved", rule: 0, ruleName: undefined, role: "public", declared: {}, before: {}, after: {} }],
  stays: [],
  versions: [],
  actor: "test",
  reason: undefined,
};

test.for([
  ["app.test", "/", true],
  ["APP.test:8080", "/any?query=1", true],
  ["deep.app.test", "/", true],
  ["special.app.test", "/", false],
  ["other.test", "/", false],
  ["", "/", false],
  ["part.test", "/api/users", true],
  ["part.test", "/favicon.ico", false],
  ["app.test", "*", false],
] as const)("a request for %s%s: %s", ([authority, path, isLost]) => {
  const record = {
    startMs: 0,
    endMs: 1,
    cluster: "",
    routeName: "",
    status: 404,
    flags: [9],
    isProbe: false,
    details: "",
  };
  expect(buildLostRequestTest(table, plan)({ ...record, authority, path })).toBe(isLost);
});
