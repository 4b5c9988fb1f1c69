import { describe, expect, it } from "vitest";
import {
  answer,
  document,
  gateway,
  get,
  onlyRouting,
  openGateway,
  service,
  tableOf,
  virtualService,
} from "../../../test/arbitrary/table-of.ts";
import type { ForwardAction, RouteTable } from "./route-table.ts";
import { simulate } from "./simulate.ts";

function domainsOf(table: RouteTable): readonly string[] {
  return table.httpRoutings.flatMap(({ virtualHosts }) => virtualHosts.map(({ domain }) => domain)).toSorted();
}

function statusOf(table: RouteTable, url: string, port = 80): number | string {
  const { result } = simulate(table, { ...get(url), port });
  return result.kind === "direct" || result.kind === "redirect" ? result.status : result.kind;
}

function forwardOf(http: string, rest = service("app")): ForwardAction {
  const { table } = tableOf(openGateway + virtualService("v", { hosts: ["a.com"], http }) + rest);
  const action = onlyRouting(table).virtualHosts[0]?.routes[0]?.action;
  if (action?.kind !== "forward") {
    throw new Error("the first rule does not forward");
  }
  return action;
}

const two = (old: string, young: string) =>
  tableOf(
    openGateway +
      virtualService("young", { hosts: ["a.com"], http: young, created: "2026-02-01T00:00:00Z" }) +
      virtualService("old", { hosts: ["a.com"], http: old, created: "2026-01-01T00:00:00Z" }),
  ).table;

const arms = (action: ForwardAction) =>
  action.split.arms.map(({ destination, weight, isDeclared }) => [destination, weight, isDeclared]);

const policyOf = (policy: string, subset = "") => {
  const yaml =
    service("app") +
    document("DestinationRule", "default/app", {
      spec: ["host: app", `trafficPolicy: ${policy}`, `subsets: [{name: blue, labels: {version: only}${subset}}]`],
    });
  const action = forwardOf("- route: [{destination: {host: app, subset: blue}}]", yaml);
  const { table } = tableOf(
    openGateway +
      virtualService("v", { hosts: ["a.com"], http: "- route: [{destination: {host: app, subset: blue}}]" }) +
      yaml,
  );
  return table.destinations.get(action.split.arms[0]?.destination ?? "")?.policy;
};

const ids = (http: readonly string[]) =>
  onlyRouting(
    tableOf(openGateway + virtualService("v", { hosts: ["a.com"], http: http.join("\n") }) + service("app")).table,
  ).virtualHosts[0]?.routes.map(({ action }) => (action.kind === "forward" ? action.split.id : ""));

describe("hosts of servers and VirtualServices", () => {
  it.each([
    [["*.foo.com"], ["a.foo.com"], ["a.foo.com"]],
    [["a.foo.com"], ["*.foo.com"], ["a.foo.com"]],
    [["*.foo.com"], ["foo.com"], []],
    [["*"], ["*.foo.com"], ["*.foo.com"]],
    [["*/*"], ["foo.com"], ["foo.com"]],
    [["./a.com"], ["a.com"], ["a.com"]],
    [["default/a.com"], ["a.com"], ["a.com"]],
    [["other/a.com"], ["a.com"], []],
    [["*/a.com"], ["a.com"], ["a.com"]],
    [["A.com"], ["a.COM"], ["a.com"]],
    [["*.a.foo.com", "b.foo.com"], ["*.foo.com"], ["*.a.foo.com", "b.foo.com"]],
  ])("server %j and VirtualService %j make %j", (hosts, names, domains) => {
    const { table } = tableOf(gateway("gw", { hosts }) + virtualService("v", { hosts: names, http: answer(200) }));
    expect(domainsOf(table)).toEqual(domains);
  });

  it.each(["gw", "./gw", "default/gw", "gw.default.svc.cluster.local"])("finds the Gateway by %s", (name) => {
    const { table } = tableOf(
      openGateway + virtualService("v", { hosts: ["a.com"], http: answer(200), gateways: [name] }),
    );
    expect(domainsOf(table)).toEqual(["a.com"]);
  });

  it.each([["mesh"], ["other/gw"], ["gone"]])("does not serve rules that are bound to %s", (name) => {
    const { table } = tableOf(
      openGateway + virtualService("v", { hosts: ["a.com"], http: answer(200), gateways: [name] }),
    );
    expect(domainsOf(table)).toEqual([]);
    expect(table.unserved).toHaveLength(1);
  });

  it.each([
    [["*"], true],
    [["istio-system"], true],
    [["."], false],
    [["~"], false],
    [["default"], false],
  ])("exportTo %j is seen from the gateway: %s", (exportTo, isSeen) => {
    const { table, diagnostics } = tableOf(
      openGateway + virtualService("v", { hosts: ["a.com"], http: answer(200), exportTo }),
    );
    expect(domainsOf(table)).toEqual(isSeen ? ["a.com"] : []);
    expect(diagnostics.some(({ code }) => code === "KIR1106")).toBe(!isSeen);
  });

  it("leaves a host to a wider one when none of its rules apply on the listener", () => {
    const { table } = tableOf(
      openGateway +
        virtualService("narrow", { hosts: ["a.x.com"], http: answer(201, "{port: 443}") }) +
        virtualService("wide", { hosts: ["*.x.com"], http: answer(202) }),
    );
    expect(statusOf(table, "a.x.com/")).toBe(202);
  });
});

describe("several VirtualServices on one host", () => {
  it("puts the older first and every catch-all last", () => {
    const table = two(
      `${answer(201, "{uri: {prefix: /foo}}")}\n${answer(202)}`,
      `${answer(203, "{uri: {regex: '/b.*'}}")}\n${answer(204, "{uri: {exact: /foo}}")}\n${answer(205)}`,
    );
    const routes = onlyRouting(table).virtualHosts[0]?.routes.map(({ action }) =>
      action.kind === "direct" ? action.status : 0,
    );
    expect(routes).toEqual([201, 203, 204, 202, 205]);
  });

  it.each(["{uri: {prefix: /}}", "{uri: {regex: '.*'}}", "{name: all}"])("cuts a VirtualService after %s", (match) => {
    const table = two(
      `${answer(201, match)}\n${answer(202, "{uri: {prefix: /x}}")}`,
      answer(203, "{uri: {prefix: /x}}"),
    );
    expect(onlyRouting(table).virtualHosts[0]?.routes).toHaveLength(2);
    expect(statusOf(table, "a.com/x")).toBe(203);
    expect(statusOf(table, "a.com/y")).toBe(201);
  });

  it("puts what is exported to the gateway's namespace before what is public", () => {
    const { table } = tableOf(
      openGateway +
        virtualService("public", { hosts: ["a.com"], http: answer(201), created: "2026-01-01T00:00:00Z" }) +
        virtualService("named", { hosts: ["a.com"], http: answer(202), exportTo: ["istio-system"] }),
    );
    expect(statusOf(table, "a.com/")).toBe(202);
  });

  it("keeps one copy of rules that two servers admit", () => {
    const { table } = tableOf(
      openGateway +
        gateway("second", { hosts: ["a.com"] }) +
        virtualService("v", { hosts: ["a.com"], gateways: ["gw", "second"], http: answer(200) }),
    );
    expect(onlyRouting(table).virtualHosts[0]?.routes).toHaveLength(1);
  });
});

describe("listeners", () => {
  it("makes one for each port, and one set for each workload", () => {
    const { table } = tableOf(
      gateway("a", { hosts: ["*"], selector: "istio: ingressgateway" }) +
        gateway("b", { hosts: ["*"], port: 8080, selector: "istio: ingressgateway" }) +
        gateway("c", { hosts: ["*"], selector: "app: other" }) +
        gateway("d", { hosts: ["*"], port: 8081, selector: "" }),
    );
    expect(table.listeners.map(({ id }) => id).toSorted()).toEqual([
      "app=other:80",
      "app=other:8081",
      "istio=ingressgateway:80",
      "istio=ingressgateway:8080",
      "istio=ingressgateway:8081",
    ]);
  });

  it("gives a Gateway with a smaller selector to the workload with the larger one", () => {
    const { table } = tableOf(
      gateway("a", { hosts: ["*"], selector: "istio: ingressgateway, app: edge" }) +
        gateway("b", { hosts: ["*"], port: 8080 }),
    );
    expect(table.listeners.map(({ id }) => id)).toEqual([
      "app=edge,istio=ingressgateway:80",
      "app=edge,istio=ingressgateway:8080",
    ]);
  });

  it("redirects to https also hosts without rules, and drops a server that repeats them", () => {
    const { table, diagnostics } = tableOf(
      gateway("gw", { hosts: ["q.com", "r.com"], httpsRedirect: true, created: "2026-01-01T00:00:00Z" }) +
        gateway("late", { hosts: ["q.com"], httpsRedirect: true, created: "2026-01-02T00:00:00Z" }) +
        virtualService("v", { hosts: ["q.com"], http: answer(200) }),
    );
    expect(statusOf(table, "q.com/")).toBe(301);
    expect(statusOf(table, "r.com/old")).toBe(301);
    expect(diagnostics.filter(({ code }) => code === "KIR1100")).toHaveLength(1);
  });
});

describe("splits", () => {
  const app = "app.default.svc.cluster.local";

  it("ignores the weight of an only destination and keeps its siblings idle", () => {
    const action = forwardOf(
      "- route: [{destination: {host: app, subset: blue}, weight: 0}]",
      service("app", ["blue", "green"]),
    );
    expect(arms(action)).toEqual([
      [`outbound|80|blue|${app}`, 100, true],
      [`outbound|80|green|${app}`, 0, false],
    ]);
  });

  it("keeps weights that do not add up to 100, and declared zeros", () => {
    const http =
      "- route: [{destination: {host: app, subset: blue}, weight: 3}, {destination: {host: app, subset: green}, weight: 4}, {destination: {host: app, subset: red}, weight: 0}]";
    expect(arms(forwardOf(http, service("app", ["blue", "green", "red"])))).toEqual([
      [`outbound|80|blue|${app}`, 3, true],
      [`outbound|80|green|${app}`, 4, true],
      [`outbound|80|red|${app}`, 0, true],
    ]);
  });

  it("takes the other hosts of the VirtualService as siblings, if they exist", () => {
    const http =
      "- {match: [{uri: {prefix: /g}}], route: [{destination: {host: green-api}}]}\n- route: [{destination: {host: blue-api}}]\n- route: [{destination: {host: gone}}]";
    expect(arms(forwardOf(http, service("blue-api") + service("green-api")))).toEqual([
      ["outbound|80||green-api.default.svc.cluster.local", 100, true],
      ["outbound|80||blue-api.default.svc.cluster.local", 0, false],
    ]);
  });

  it("keeps the arm of a destination that does not exist", () => {
    const action = forwardOf("- route: [{destination: {host: app, subset: gone}}]");
    expect(arms(action)).toEqual([[`outbound|80|gone|${app}`, 100, true]]);
  });

  it("takes the listener's port for an unknown service", () => {
    expect(forwardOf("- route: [{destination: {host: nowhere}}]").split.arms[0]?.destination).toBe(
      "outbound|80||nowhere.default.svc.cluster.local",
    );
  });

  it("identifies a split by its rule's name or conditions, whatever stands around it", () => {
    const rules = [
      "- {match: [{uri: {prefix: /a}}], route: [{destination: {host: app}}]}",
      "- {name: named, match: [{uri: {prefix: /b}}], route: [{destination: {host: app}}]}",
      "- {route: [{destination: {host: app}}]}",
    ];
    const before = ids(rules);
    expect(before?.[1]).toBe("default/v/named");
    expect(ids(["- {match: [{uri: {exact: /new}}], redirect: {uri: /}}", ...rules])?.slice(1)).toEqual(before);
    expect(new Set(before).size).toBe(3);
  });
});

describe("actions", () => {
  it("has Istio's defaults", () => {
    const action = forwardOf("- route: [{destination: {host: app}}]");
    expect(action.timeoutMs).toBe(0);
    expect(action.retry).toEqual({
      attempts: 2,
      on: ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"],
      statusCodes: [],
      perTryTimeoutMs: undefined,
      backoffMs: undefined,
      avoidsPreviousHosts: true,
    });
  });

  it("turns retries off, or takes codes out of the tokens", () => {
    expect(forwardOf("- {route: [{destination: {host: app}}], retries: {attempts: 0}}").retry).toBeUndefined();
    expect(
      forwardOf(
        "- {route: [{destination: {host: app}}], retries: {attempts: 3, retryOn: '5xx,503', perTryTimeout: 2s}}",
      ).retry,
    ).toMatchObject({ attempts: 3, on: ["5xx", "retriable-status-codes"], statusCodes: [503], perTryTimeoutMs: 2000 });
  });

  it("keeps a consistent hash on its host when it retries", () => {
    const policy = "trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}";
    const action = forwardOf("- route: [{destination: {host: app, subset: blue}}]", service("app", ["blue"], policy));
    expect(action.retry?.avoidsPreviousHosts).toBe(false);
  });

  it("appends the header changes of an only destination, and leaves those of several on their arms", () => {
    const one = forwardOf(
      "- {headers: {request: {set: {x-a: rule, x-b: rule}}}, route: [{destination: {host: app}, headers: {request: {set: {x-b: arm}, add: {x-c: arm}}}}]}",
    );
    expect(one.requestHeaders).toEqual({
      set: [
        ["x-a", "rule"],
        ["x-b", "rule"],
        ["x-b", "arm"],
      ],
      add: [["x-c", "arm"]],
      remove: [],
    });
    const several = forwardOf(
      "- {route: [{destination: {host: app, subset: blue}, weight: 1, headers: {response: {remove: [server]}}}, {destination: {host: app, subset: green}, weight: 1}]}",
      service("app", ["blue", "green"]),
    );
    expect(several.responseHeaders.remove).toEqual([]);
    expect(several.split.arms[0]?.responseHeaders.remove).toEqual(["server"]);
  });

  it("keeps the Host header of one of several destinations on its arm, and what a proxy answers itself has headers", () => {
    const several = forwardOf(
      "- {route: [{destination: {host: app, subset: blue}, weight: 1, headers: {request: {set: {Host: b.org}}}}, {destination: {host: app, subset: green}, weight: 1}]}",
      service("app", ["blue", "green"]),
    );
    expect([several.hostRewrite, ...several.split.arms.map((arm) => arm.hostRewrite)]).toEqual([
      undefined,
      "b.org",
      undefined,
    ]);
    for (const action of ["redirect: {uri: /x}", "directResponse: {status: 200}"]) {
      const { table } = tableOf(
        openGateway +
          virtualService("v", { hosts: ["a.com"], http: `- {headers: {response: {set: {x-a: b}}}, ${action}}` }),
      );
      expect(onlyRouting(table).virtualHosts[0]?.routes[0]?.action).toMatchObject({
        responseHeaders: { set: [["x-a", "b"]] },
      });
    }
  });

  it("mirrors by default everything, and nothing at 0", () => {
    expect(forwardOf("- {route: [{destination: {host: app}}], mirror: {host: app}}").mirrors[0]?.percent).toBe(100);
    expect(
      forwardOf("- {route: [{destination: {host: app}}], mirror: {host: app}, mirrorPercentage: {value: 0}}").mirrors,
    ).toEqual([]);
  });

  it.each([
    ["KIR1101", "- {match: [{uri: {regex: '(?=a)'}}], directResponse: {status: 200}}"],
    [
      "KIR1104",
      "- route: [{destination: {host: app}, weight: 1, headers: {request: {set: {x-a: b}}}}, {destination: {host: app}, weight: 1}]",
    ],
  ])("reports %s and leaves the rule out", (code, http) => {
    const { table, diagnostics } = tableOf(
      openGateway + virtualService("v", { hosts: ["a.com"], http }) + service("app"),
    );
    expect(diagnostics.map((finding) => finding.code)).toContain(code);
    expect(domainsOf(table)).toEqual([]);
  });
});

describe("policies", () => {
  it("lets the port replace every block of the rule, and the subset one block at a time", () => {
    const rule =
      "{loadBalancer: {simple: RANDOM}, connectionPool: {tcp: {maxConnections: 5}}, portLevelSettings: [{port: {number: 80}, connectionPool: {tcp: {maxConnections: 7}}}]}";
    expect(policyOf(rule)).toMatchObject({ loadBalancer: { kind: "leastRequest" }, maxConnections: 7 });
    expect(policyOf(rule, ", trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}")).toMatchObject({
      loadBalancer: { kind: "roundRobin" },
      maxConnections: 7,
    });
    expect(
      policyOf(
        rule,
        ", trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}, portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]}",
      ),
    ).toMatchObject({ loadBalancer: { kind: "random" }, maxConnections: undefined });
  });
});
