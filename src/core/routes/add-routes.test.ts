import { assert, constantFrom, dictionary, property, record, subarray } from "fast-check";
import { describe, expect, test } from "vitest";
import { destinationId, sketchTable } from "../../../test/route-table.fixture.ts";
import { emitForward } from "../envoy/route-actions.ts";
import { addRoutes } from "./add-routes.ts";
import { buildComparerDestination } from "./comparer-destination.ts";
import { renderCookiePattern } from "./cookie-pattern.ts";
import { copiedId } from "./copied-destination.ts";
import type { OwnedAddition, RequestMark, RouteAddition } from "./route-addition.ts";
import { matchesWhole } from "./route-regex.ts";
import type { Route, RouteTable } from "./route-table.ts";
import { simulate } from "./simulate.ts";
import { splitsOf } from "./weights.ts";

const blue = destinationId("nginx/blue", "a");
const green = destinationId("nginx/green", "a");
const arms = { "nginx/blue": 90, "nginx/green": 10 };

function table(): RouteTable {
  return sketchTable([
    {
      name: "a/app",
      rules: [
        { name: "api", arms, header: "x-api: v2", path: "/api" },
        { name: "public", arms },
      ],
    },
    { name: "a/other", rules: [{ name: "public", arms: { "nginx/blue": 100 } }] },
  ]);
}

const [apiSplit = "", publicSplit = ""] = [...splitsOf(table()).keys()].filter((id) => id.startsWith("a/app"));

function own(...additions: readonly RouteAddition[]): readonly OwnedAddition[] {
  return additions.map((addition) => ({ release: "a/r", addition }));
}

const nothing: RequestMark = { headers: {}, cookies: {}, query: {} };

function preview(name: string, ...marks: readonly Partial<RequestMark>[]): RouteAddition {
  const to = { [apiSplit]: green, [publicSplit]: green };
  return { kind: "preview", name, to, marks: marks.map((mark) => ({ ...nothing, ...mark })) };
}

const staff = preview(
  "staff",
  { headers: { "x-staff": { kind: "exact", value: "yes" } } },
  { cookies: { beta: { kind: "exact", value: "1" } }, query: { v: { kind: "exact", value: "2" } } },
);
const mirror: RouteAddition = { kind: "mirror", to: { [publicSplit]: green }, percent: 50, methods: ["GET", "HEAD"] };
const affinity: RouteAddition = {
  kind: "affinity",
  splits: [apiSplit, publicSplit],
  cookie: "visitor",
  maxAgeMs: 60_000,
};

interface Ask {
  readonly host?: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function ask(routes: RouteTable, { host = "app.example.com", method = "GET", target = "/", headers = {} }: Ask) {
  const [listener] = routes.listeners;
  const sent = { port: listener?.port ?? 80, scheme: "http" as const, authority: host };
  const { result } = simulate(routes, { ...sent, method, target, headers: Object.entries(headers) });
  if (result.kind !== "route") throw new Error(`${host} ${target} is a ${result.kind}`);
  return { action: result.action, arms: result.arms.map(({ arm }) => arm.destination), route: result.route };
}

test("requests with a mark go to the new version, all of its conditions together and any of its entries", () => {
  const laid = addRoutes(table(), own(staff));
  expect(ask(laid, { headers: { "x-staff": "yes" } }).arms).toEqual([green]);
  expect(ask(laid, { headers: { cookie: "a=b; beta=1; c=d" }, target: "/x?v=2" }).arms).toEqual([green]);
  expect(ask(laid, { headers: { cookie: "beta=1" } }).arms).toEqual([blue, green]);
  expect(ask(laid, { headers: { cookie: "xbeta=1" }, target: "/x?v=2" }).arms).toEqual([blue, green]);
  expect(ask(laid, { headers: { "x-staff": "no" } }).arms).toEqual([blue, green]);
  // Each rule keeps what else it asks for.
  const api = ask(laid, { headers: { "x-staff": "yes", "x-api": "v2" }, target: "/api" });
  expect(api.action.split.id).toBe(`${apiSplit}~preview:staff`);
  expect(api.route.match.headers.map(({ name }) => name)).toEqual(["x-api", "x-staff"]);
});

test("two previews stand side by side, and requests of another service meet neither", () => {
  const laid = addRoutes(table(), own(staff, preview("beta", { headers: { "x-beta": { kind: "present" } } })));
  expect(ask(laid, { headers: { "x-staff": "yes" } }).arms).toEqual([green]);
  expect(ask(laid, { headers: { "x-beta": "" } }).arms).toEqual([green]);
  expect(ask(laid, { host: "other.example.com", headers: { "x-beta": "1" } }).arms).toEqual([blue]);
});

test("copies of the named methods go to a destination of their own", () => {
  const laid = addRoutes(table(), own(mirror));
  const id = copiedId(green);
  expect(ask(laid, { method: "GET" }).action.mirrors).toEqual([
    { destination: id, percent: 50, marks: [["x-kirikae-copy", "a/r"]] },
  ]);
  expect(ask(laid, { method: "HEAD" }).action.mirrors).toHaveLength(1);
  expect(ask(laid, { method: "POST" }).action.mirrors).toEqual([]);
  expect(ask(laid, { method: "GETX" }).action.mirrors).toEqual([]);
  expect(ask(laid, {}).action.split.id).toBe(publicSplit);
  expect(laid.destinations.get(id)).toEqual({ ...table().destinations.get(green), id });
});

test("a method whose name would be an expression is copied under that name alone", () => {
  const laid = addRoutes(table(), own({ ...mirror, methods: [".*", "A|B"] }));
  const copiesOf = (method: string) => ask(laid, { method }).action.mirrors.length;
  expect(["DELETE", "A", "B", ".*", "A|B"].map(copiesOf)).toEqual([0, 0, 0, 1, 1]);
});

test("copies that are compared go to kirikae, which finds both versions by names of their own", () => {
  const comparer = buildComparerDestination("/run/comparer");
  const laid = addRoutes(table(), own({ ...mirror, through: { comparer, live: { [publicSplit]: blue } } }));
  const marks = [
    ["x-kirikae-copy", "a/r"],
    ["x-kirikae-split", encodeURIComponent(publicSplit)],
  ];
  expect(ask(laid, {}).action.mirrors).toEqual([{ destination: comparer.id, percent: 50, marks }]);
  const added = [...laid.destinations.keys()].filter((id) => !table().destinations.has(id));
  expect(added.toSorted()).toEqual([copiedId(blue), copiedId(green), comparer.id].toSorted());
});

test("a visitor with the cookie is sent by it, and another by the id of the request that becomes the cookie", () => {
  const laid = addRoutes(table(), own(affinity));
  const known = ask(laid, { headers: { cookie: "visitor=0af7" } }).action;
  expect(known.split).toMatchObject({ id: publicSplit, chosenBy: { kind: "cookie", name: "visitor" } });
  const first = ask(laid, { headers: { cookie: "visitor=; other=1" } }).action;
  expect(first.split).toMatchObject({ id: publicSplit, chosenBy: { kind: "newCookie", name: "visitor" } });
  const emitted = emitForward(known, laid.destinations);
  expect(emitted).toMatchObject({
    hashPolicy: [{ policySpecifier: { case: "cookie", value: { name: "visitor" } } }],
    clusterSpecifier: {
      case: "weightedClusters",
      value: {
        runtimeKeyPrefix: expect.stringContaining(publicSplit),
        randomValueSpecifier: { case: "useHashPolicy", value: { value: true } },
      },
    },
  });
});

test("what is not named keeps its identity, and nothing to lay is no change at all", () => {
  const before = table();
  const [routing] = before.httpRoutings;
  const laid = addRoutes(before, own(staff, affinity));
  expect(laid.destinations).toBe(before.destinations);
  expect(laid.listeners).toBe(before.listeners);
  for (const host of routing?.virtualHosts ?? []) {
    const after = laid.httpRoutings[0]?.virtualHosts.find(({ domain }) => domain === host.domain);
    if (host.domain === "other.example.com") expect(after).toBe(host);
    else expect(after).not.toBe(host);
  }
  expect(addRoutes(before, [])).toBe(before);
  const gone: RouteAddition = { ...affinity, splits: ["a/app/gone"] };
  expect(addRoutes(before, own(gone))).toBe(before);
});

test("a version or a rule that is gone is passed over", () => {
  const lost = own(
    { kind: "preview", name: "p", to: { [publicSplit]: "outbound|80|red|x" }, marks: [nothing] },
    { kind: "mirror", to: { [publicSplit]: "outbound|80|red|x" }, percent: 100, methods: ["GET"] },
  );
  const before = table();
  expect(addRoutes(before, lost)).toBe(before);
});

describe("for a request without a mark nothing but copies and the choice of the arm changes", () => {
  const additions = subarray([staff, mirror, affinity], { minLength: 1 });
  const request = record({
    method: constantFrom("GET", "HEAD", "POST", "OPTIONS"),
    target: constantFrom("/", "/api", "/api/x?v=2", "/x?v=2"),
    headers: dictionary(constantFrom("x-api", "cookie", "x-other"), constantFrom("v2", "visitor=1", "beta=2", "")),
  });
  test("whatever is laid", () => {
    assert(
      property(additions, request, (laid, sent) => {
        const plain = ask(table(), sent);
        const over = ask(addRoutes(table(), own(...laid)), sent);
        const { id, arms } = over.action.split;
        expect({ ...over.action, split: { id, arms }, mirrors: plain.action.mirrors }).toEqual(plain.action);
        expect(over.arms).toEqual(plain.arms);
        expect(over.route.origin).toEqual(plain.route.origin);
      }),
    );
  });
});

test("a route that does not forward is left alone", () => {
  const direct: RouteTable = sketchTable([{ name: "a/app", rules: [{ name: "public" }] }]);
  const routes: readonly Route[] = direct.httpRoutings[0]?.virtualHosts[0]?.routes ?? [];
  expect(routes).toHaveLength(1);
  expect(addRoutes(direct, own(staff, mirror, affinity))).toBe(direct);
});

test.each([
  [
    "exact",
    { kind: "exact", value: "a.b" },
    { "n=a.b": true, "x=1; n=a.b;y=2": true, "n=aXb": false, "n=a.bc": false },
  ],
  ["prefix", { kind: "prefix", value: "a" }, { "n=abc; z=1": true, "n=b; x=a": false, "m=a": false }],
  ["present", { kind: "present" }, { "n=1": true, "n=": false, "n=; m=1": false, "xn=1": false }],
  ["regex", { kind: "regex", value: ".*z[.;]?" }, { "n=az": true, "n=az.": true, "n=a; m=z": false }],
] as const)("a cookie is found by %s", (_kind, value, examples) => {
  for (const [header, isFound] of Object.entries(examples)) {
    expect([header, matchesWhole(renderCookiePattern("n", value), header)]).toEqual([header, isFound]);
  }
});
