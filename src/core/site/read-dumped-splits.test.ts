import { anything, assert, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { gateway, openGateway, service, tableOf, virtualService } from "../../../test/arbitrary/table-of.ts";
import { addRoutes } from "../routes/add-routes.ts";
import type { RouteTable } from "../routes/route-table.ts";
import { splitsOf } from "../routes/weights.ts";
import { readDumpedOwnRoutes, readDumpedSplits } from "./read-dumped-splits.ts";

const rules = `
- name: api
  match: [{uri: {prefix: /api}}, {uri: {prefix: /v1}}]
  route:
  - {destination: {host: web, subset: blue}, weight: 90}
  - {destination: {host: web, subset: green}, weight: 10}
- match: [{uri: {exact: /old}}]
  redirect: {uri: /}
- name: rest
  route:
  - destination: {host: web, subset: blue}`;

const yaml = [
  openGateway,
  service("web", ["blue", "green"]),
  virtualService("web", { hosts: ["web.x.com"], http: rules }),
].join("\n---\n");
const { table } = tableOf(yaml);
const ids = [...splitsOf(table).keys()].filter((id) => id.startsWith("default/web/"));
const [api = "", rest = ""] = ids;
const [blue = "", green = ""] =
  splitsOf(table)
    .get(api)
    ?.arms.map(({ destination }) => destination) ?? [];

type Shares = Readonly<Record<string, number>> | string | undefined;

function route(shares: Shares, { name = "", of = "default/web" } = {}): object {
  const [namespace, service_] = of.split("/");
  const config = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtual-service/${service_}`;
  return {
    name,
    metadata: { filter_metadata: { istio: { config } } },
    ...(shares === undefined ? { redirect: {} } : { route: actionOf(shares) }),
  };
}

function actionOf(shares: Exclude<Shares, undefined>): object {
  if (typeof shares === "string") return { cluster: shares };
  return { weighted_clusters: { clusters: Object.entries(shares).map(([name, weight]) => ({ name, weight })) } };
}

function config(routes: readonly object[], domains = ["web.x.com", "web.x.com:*"]): object {
  return { name: "http.8080", virtual_hosts: [{ name: "web.x.com:80", domains, routes }] };
}

function dump(...configs: readonly object[]): object {
  return {
    configs: [
      { "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump" },
      {
        "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
        dynamic_route_configs: configs.map((each) => ({ version_info: "1", route_config: each })),
      },
    ],
  };
}

const moved = [route({ [blue]: 20, [green]: 80 }), route({ [blue]: 20, [green]: 80 }), route(undefined), route(blue)];

function read(shown: unknown): readonly unknown[] {
  return [...readDumpedSplits(shown, { table, splits: [api, rest] }).values()];
}

function caller(name: string): string {
  return `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}, sidecar.istio.io/inject: "true"}}
spec: {containers: [{name: main, image: none}]}`;
}

function halves(first: string, second: string): string {
  return `[{destination: {host: web, subset: ${first}}, weight: 50}, {destination: {host: web, subset: ${second}}, weight: 50}]`;
}

function meshed(readers: string, others: string): RouteTable {
  const rules = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
  - {name: "${readers}", match: [{sourceLabels: {app: reader}}], route: ${halves("blue", "green")}}
  - {name: "${others}", route: ${halves("red", "green")}}`;
  const web = service("web", ["blue", "green", "red"]);
  return tableOf([web, rules, caller("reader"), caller("other")].join("\n---\n")).table;
}

/** Of the rule of `default/web` with this number, at a caller who has these routes. */
function readRule(of: RouteTable, rule: number, routes: readonly object[]): unknown {
  const all = of.httpRoutings.flatMap(({ virtualHosts }) => virtualHosts.flatMap((each) => each.routes));
  const splits = all.flatMap(({ action, origin }) =>
    action.kind === "forward" && origin.virtualService === "default/web" ? [[origin.rule, action.split.id]] : [],
  ) as [number, string][];
  const host = { name: "web:80", domains: ["web.default.svc.cluster.local"], routes };
  const shown = dump({ name: "80", virtual_hosts: [host] });
  const seen = readDumpedSplits(shown, { table: of, splits: [...new Set(splits.map(([, id]) => id))] });
  return seen.get(splits.find(([number]) => number === rule)?.[1] ?? "");
}

describe("what a proxy has", () => {
  const shown = [
    { [blue]: 20, [green]: 80 },
    { [blue]: 100, [green]: 0 },
  ];

  test("is read rule by rule", () => {
    expect(ids).toHaveLength(2);
    expect(read(dump(config(moved)))).toEqual(shown);
  });

  test("is read from a dump of one resource, and with names as JSON spells them", () => {
    expect(read({ configs: [{ "@type": "x", route_config: config(moved) }] })).toEqual(shown);
    const camel = JSON.parse(
      JSON.stringify(dump(config(moved))).replaceAll(/"([a-z]+)_([a-z_]+)":/gu, (_all, first: string, more: string) =>
        JSON.stringify(
          [first, ...more.split("_").map((word) => (word[0] ?? "").toUpperCase() + word.slice(1))].join(""),
        ).concat(":"),
      ),
    ) as object;
    expect(read(camel)).toEqual(shown);
  });

  test("leaves routes of kirikae's own, of other VirtualServices and of nobody out", () => {
    const beside = [
      route(green, { name: "kirikae/preview/shop.web/1" }),
      route(green, { name: "root-kirikae/mirror/shop.web/2.first" }),
      route(green, { of: "default/other" }),
      { route: { cluster: green } },
    ];
    expect(read(dump(config([...beside, ...moved])))).toEqual(shown);
    const to = { [api]: green, [rest]: green };
    const marks = [{ headers: { "x-staff": { kind: "present" as const } }, cookies: {}, query: {} }];
    const laid = addRoutes(table, [
      { release: "a/r", addition: { kind: "preview", name: "p", to, marks } },
      { release: "a/r", addition: { kind: "mirror", to, percent: 50, methods: ["GET"] } },
    ]);
    expect([...readDumpedSplits(dump(config(moved)), { table: laid, splits: [api, rest] }).values()]).toEqual(shown);
    expect(readDumpedOwnRoutes(dump(config([...beside, ...moved])))).toEqual([
      {
        routing: "http.8080",
        domains: ["web.x.com", "web.x.com:*"],
        virtualService: "default/web",
        names: ["kirikae/preview/shop.web/1", "kirikae/mirror/shop.web/2"],
      },
      { routing: "http.8080", domains: ["web.x.com", "web.x.com:*"], virtualService: "default/other", names: [] },
    ]);
  });

  test("is absent where it has no such virtual host, or none with these rules", () => {
    expect(read(dump())).toEqual(["absent", "absent"]);
    expect(read(dump(config(moved, ["other.x.com"])))).toEqual(["absent", "absent"]);
    expect(read(dump(config([route(blue, { of: "default/other" })])))).toEqual(["absent", "absent"]);
    expect(read(dump(config(moved), config([route(blue, { of: "default/other" })])))).toEqual(shown);
  });

  test("is unreadable where the rules are not the table's", () => {
    expect(read(dump(config(moved.slice(1))))).toEqual(["unreadable", "unreadable"]);
    const elsewhere = [...moved.slice(0, 3), route("outbound|80|red|web.default.svc.cluster.local")];
    expect(read(dump(config(elsewhere)))).toEqual([shown[0], "unreadable"]);
    const torn = [route(blue), ...moved.slice(1)];
    expect(read(dump(config(torn)))).toEqual(["unreadable", shown[1]]);
  });

  test("is unreadable while virtual hosts disagree", () => {
    const before = [route(blue), route(blue), route(undefined), route(blue)];
    expect(read(dump(config(moved), config(before)))).toEqual(["unreadable", shown[1]]);
  });

  describe("rules for several ports", () => {
    const weighed =
      "[{destination: {host: web, subset: blue}, weight: 50}, {destination: {host: web, subset: green}, weight: 50}]";
    const ported = tableOf(
      [
        gateway("gw", { hosts: ["*"] }),
        gateway("admin", { hosts: ["*"], port: 8080 }),
        service("web", ["blue", "green"]),
        virtualService("web", {
          hosts: ["web.x.com"],
          gateways: ["gw", "admin"],
          http: `
- {name: shop, match: [{port: 80, uri: {prefix: /shop}}], route: ${weighed}}
- {name: both, match: [{uri: {prefix: /both}}], route: ${weighed}}
- {name: admin, match: [{port: 8080, uri: {prefix: /admin}}], route: ${weighed}}`,
        }),
      ].join("\n---\n"),
    ).table;
    const split = [...splitsOf(ported).keys()].find((id) => id.endsWith("/both")) ?? "";
    const readBoth = (port: string): unknown => {
      const host = { name: `web.x.com${port}`, domains: ["web.x.com"], routes: [route(blue), route(green)] };
      return readDumpedSplits(dump({ name: "http.8080", virtual_hosts: [host] }), {
        table: ported,
        splits: [split],
      }).get(split);
    };

    test("are told apart by the port that a virtual host is named after", () => {
      expect(readBoth(":80")).toEqual({ [blue]: 0, [green]: 100 });
      expect(readBoth(":8080")).toEqual({ [blue]: 100, [green]: 0 });
    });

    test("are unreadable where nothing tells which of them a route is", () => {
      expect(readBoth("")).toBe("unreadable");
    });
  });

  describe("rules for some callers inside the mesh", () => {
    test("are told apart by the names of their routes, whatever they lead to", () => {
      const callers = meshed("readers", "rest");
      const reader = [route(blue, { name: "readers" })];
      expect(readRule(callers, 0, reader)).toMatchObject({ [blue]: 100, [green]: 0 });
      expect(readRule(callers, 1, reader)).toBe("absent");
      const other = [route(green, { name: "rest" })];
      expect(readRule(callers, 0, other)).toBe("absent");
      expect(readRule(callers, 1, other)).toMatchObject({ [blue]: 0, [green]: 100 });
    });

    test("are not looked for at another port of their host, where other rules of their VirtualService are", () => {
      const ports = tableOf(`
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}, {name: http-admin, port: 8443}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
  - {match: [{port: 8443}], route: [{destination: {host: web, port: {number: 8443}}}]}
  - {name: plain, route: [{destination: {host: web, port: {number: 80}}}]}
---${caller("reader")}`).table;
      const [web, admin] = [80, 8443].map((port) => `outbound|${port}||web.default.svc.cluster.local`);
      const hosts = ["web.default.svc.cluster.local"].flatMap((host) => [
        { name: `${host}:80`, domains: [host], routes: [route(web, { name: "plain" })] },
        { name: `${host}:8443`, domains: [host], routes: [route(admin)] },
      ]);
      const shown = dump({ name: "80", virtual_hosts: hosts });
      const plain = "default/web/plain";
      expect(readDumpedSplits(shown, { table: ports, splits: [plain] }).get(plain)).toMatchObject({ [web ?? ""]: 100 });
    });

    test("are taken for each other where nothing tells them apart, so that neither looks proved too early", () => {
      const callers = meshed("", "");
      expect(readRule(callers, 0, [route(blue)])).toMatchObject({ [blue]: 100, [green]: 0 });
      expect(readRule(callers, 1, [route(blue)])).toMatchObject({ [blue]: 100, [green]: 0 });
    });
  });

  test("adds shares of one cluster up", () => {
    const twice = {
      weighted_clusters: {
        clusters: [
          { name: blue, weight: 5 },
          { name: blue, weight: 15 },
          { name: green, weight: 80 },
        ],
      },
    };
    const routes = moved.map((each, at) => (at < 2 ? { ...each, route: twice } : each));
    expect(read(dump(config(routes)))).toEqual(shown);
  });

  test("is absent in what is no dump, and nothing throws", () => {
    assert(
      property(anything(), (json) => {
        expect(read(json)).toEqual(["absent", "absent"]);
      }),
    );
    assert(
      property(anything(), (json) => {
        expect(read(dump(config([json as object])))).toHaveLength(2);
      }),
    );
  });
});
