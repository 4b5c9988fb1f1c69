import { describe, expect, it } from "vitest";
import { answer, get, openGateway, service, tableOf, virtualService } from "../../../test/arbitrary/table-of.ts";
import { blocksServing } from "../diagnostics/diagnostic.ts";
import { simulate } from "./simulate.ts";
import type { SimulatedRequest, SimulationResult } from "./simulation.ts";

function statusOf(result: SimulationResult): number | string {
  switch (result.kind) {
    case "direct":
    case "rejected":
      return result.status;
    case "redirect":
      return `${result.status} ${result.location}`;
    case "miss":
      return result.cause;
    case "route":
      return `${result.arms[0]?.authority} ${result.target}`;
  }
}

function run(http: string, request: SimulatedRequest): number | string {
  const { table, diagnostics } = tableOf(
    openGateway + virtualService("v", { hosts: ["a.com"], http }) + service("app"),
  );
  expect(diagnostics.filter(blocksServing)).toEqual([]);
  return statusOf(simulate(table, request).result);
}

/** A rule with the match answers 201, every other request 404. */
const conditions: readonly (readonly [match: string, url: string, headers: Record<string, string>, taken: boolean])[] =
  [
    ["{uri: {prefix: /foo}}", "a.com/foobar", {}, true],
    ["{uri: {prefix: /foo}}", "a.com/fo", {}, false],
    ["{uri: {prefix: /foo}}", "a.com/FOO", {}, false],
    ["{uri: {prefix: /Foo}, ignoreUriCase: true}", "a.com/fOOb", {}, true],
    ["{uri: {exact: /foo}}", "a.com/foo?x=1", {}, true],
    ["{uri: {exact: /foo}}", "a.com/foo/", {}, false],
    ["{uri: {exact: /foo}, ignoreUriCase: true}", "a.com/FOO", {}, true],
    ["{uri: {regex: '/a[0-9]+'}}", "a.com/a12?q", {}, true],
    ["{uri: {regex: '/a[0-9]+'}}", "a.com/a12/b", {}, false],
    ["{uri: {regex: '/a[0-9]+'}, ignoreUriCase: true}", "a.com/A1", {}, false],
    ["{uri: {regex: '(?i)/a'}}", "a.com/A", {}, true],
    ["{headers: {X-V: {exact: green}}}", "a.com/", { "x-v": "green" }, true],
    ["{headers: {x-v: {exact: green}}}", "a.com/", { "X-V": "Green" }, false],
    ["{headers: {x-v: {exact: green}}}", "a.com/", {}, false],
    ["{headers: {x-v: {exact: green}}}", "a.com/", { "x-v": " green " }, true],
    ["{headers: {x-v: {prefix: gr}}}", "a.com/", { "x-v": "green" }, true],
    ["{headers: {x-v: {regex: 'g.*n'}}}", "a.com/", { "x-v": "green" }, true],
    ["{headers: {x-v: {regex: 'g'}}}", "a.com/", { "x-v": "green" }, false],
    ["{headers: {x-v: {}}}", "a.com/", { "x-v": "" }, true],
    ["{headers: {x-v: {}}}", "a.com/", {}, false],
    ["{headers: {x-v: {regex: '*'}}}", "a.com/", { "x-v": "1" }, true],
    ["{withoutHeaders: {x-v: {exact: green}}}", "a.com/", {}, true],
    ["{withoutHeaders: {x-v: {exact: green}}}", "a.com/", { "x-v": "green" }, false],
    ["{withoutHeaders: {x-v: {regex: '.*'}}}", "a.com/", {}, false],
    ["{withoutHeaders: {x-v: {}}}", "a.com/", {}, true],
    ["{withoutHeaders: {x-v: {}}}", "a.com/", { "x-v": "" }, false],
    ["{queryParams: {p: {exact: '1'}}}", "a.com/?p=1", {}, true],
    ["{queryParams: {p: {exact: '1'}}}", "a.com/?p=2&p=1", {}, false],
    ["{queryParams: {p: {exact: '1'}}}", "a.com/?p=%31", {}, false],
    ["{queryParams: {p: {prefix: '1'}}}", "a.com/?p=12", {}, true],
    ["{queryParams: {p: {regex: '1+'}}}", "a.com/?p=11", {}, true],
    ["{queryParams: {p: {regex: '1+'}}}", "a.com/?p=112", {}, false],
    ["{queryParams: {p: {}}}", "a.com/?p", {}, true],
    ["{queryParams: {p: {}}}", "a.com/?q", {}, false],
    ["{method: {exact: GET}}", "a.com/", {}, true],
    ["{method: {exact: POST}}", "a.com/", {}, false],
    ["{scheme: {exact: http}}", "a.com/", {}, true],
    ["{authority: {exact: a.com}}", "a.com:8080/", {}, false],
    ["{authority: {prefix: a.com}}", "a.com:8080/", {}, true],
    ["{uri: {prefix: /b}, headers: {x-v: {}}}", "a.com/b", {}, false],
    ["{port: 80}", "a.com/", {}, true],
    ["{port: 81}", "a.com/", {}, false],
    ["{gateways: [gw]}", "a.com/", {}, true],
    ["{gateways: [mesh]}", "a.com/", {}, false],
    ["{gateways: [default/gw], sourceNamespace: elsewhere}", "a.com/", {}, true],
    ["{sourceLabels: {istio: ingressgateway}}", "a.com/", {}, true],
    ["{sourceLabels: {app: other}}", "a.com/", {}, false],
    ["{sourceNamespace: istio-system}", "a.com/", {}, true],
    ["{sourceNamespace: default}", "a.com/", {}, false],
  ];

describe("conditions", () => {
  it.each(conditions)("%s with %s %j: %s", (...[match, url, headers, taken]) => {
    expect(run(`${answer(201, match)}\n${answer(404)}`, get(url, headers))).toBe(taken ? 201 : 404);
  });

  it("tries each value of a header given twice", () => {
    const request = {
      ...get("a.com/"),
      headers: [
        ["x-v", "a"],
        ["X-V", "b"],
      ] as const,
    };
    const status = (match: string) => run(`${answer(201, match)}\n${answer(404)}`, request);
    expect(status("{headers: {x-v: {exact: b}}}")).toBe(201);
    expect(status("{headers: {x-v: {exact: 'a,b'}}}")).toBe(404);
    expect(status("{withoutHeaders: {x-v: {exact: b}}}")).toBe(404);
  });

  it("ORs the entries of a rule", () => {
    const rule = "- {match: [{uri: {exact: /a}}, {uri: {exact: /b}}], directResponse: {status: 201}}";
    expect(run(rule, get("a.com/b"))).toBe(201);
    expect(run(rule, get("a.com/c"))).toBe("no-route");
  });
});

const rewrites: readonly (readonly [rule: string, url: string, seen: string])[] = [
  ["{match: [{uri: {prefix: /api}}], rewrite: {uri: /}}", "a.com/api/x?y=1", "a.com //x?y=1"],
  ["{match: [{uri: {prefix: /api/}}], rewrite: {uri: /}}", "a.com/api/x?y=1", "a.com /x?y=1"],
  ["{match: [{uri: {prefix: /API}, ignoreUriCase: true}], rewrite: {uri: /v2}}", "a.com/api/x", "a.com /v2/x"],
  ["{match: [{uri: {exact: /api}}], rewrite: {uri: /v2}}", "a.com/api?y", "a.com /v2?y"],
  ["{match: [{uri: {regex: '/a.*'}}], rewrite: {uri: /v2}}", "a.com/abc?y", "a.com /v2?y"],
  ["{rewrite: {uri: /path}}", "a.com/x", "a.com /pathx"],
  ["{rewrite: {authority: b.com}}", "a.com/x", "b.com /x"],
  ["{rewrite: {uriRegexRewrite: {match: '^/a/([^/]+)', rewrite: '/b/\\1'}}}", "a.com/a/1/c?q", "a.com /b/1/c?q"],
  ["{rewrite: {uriRegexRewrite: {match: '.*', rewrite: '/z'}}}", "a.com/a", "a.com /z"],
  ["{headers: {request: {set: {host: h.com}}}}", "a.com/x", "h.com /x"],
  ["{headers: {request: {add: {':authority': h.com}}}}", "a.com/x", "h.com /x"],
];

describe("rewrites", () => {
  it.each(rewrites)("%s sends %s as %s", (rule, url, seen) => {
    const http = `- ${rule.replace(/\}$/, ", route: [{destination: {host: app}}]}")}`;
    expect(run(http, get(url))).toBe(seen);
  });
});

/** The order of remove, set and add is Envoy's; test/e2e/simulate-agrees.test.ts compares such values with a real one. */
const headerCases: readonly (readonly [rule: string, arm: string, headers: Record<string, string>])[] = [
  ["set: {x-a: '1'}", "set: {x-a: '2'}", { "x-a": "2" }],
  // A proxy sets before it adds, whoever asked for it.
  ["add: {x-a: '1'}", "set: {x-a: '2'}", { "x-a": "2, 1" }],
  ["set: {x-a: '1'}", "remove: [x-a]", { "x-a": "1" }],
  ["remove: [x-v]", "add: {x-v: '2'}", { "x-v": "2" }],
  ["add: {x-v: '2'}", "", { "x-v": "green, 2" }],
  ["set: {X-V: ''}", "", { "x-v": "green" }],
  ["set: {x-a: '50%%'}", "", { "x-a": "50%" }],
];

function headersSeen(http: string): Readonly<Record<string, string>> {
  const { table } = tableOf(openGateway + virtualService("v", { hosts: ["a.com"], http }) + service("app", ["a", "b"]));
  const { result } = simulate(table, get("a.com/", { "x-v": "green" }));
  const seen: Record<string, string> = {};
  for (const [name, value] of result.kind === "route" ? (result.arms[0]?.requestHeaders ?? []) : []) {
    seen[name] = seen[name] === undefined ? value : `${seen[name]}, ${value}`;
  }
  return seen;
}

function twoArms(arm: string): string {
  const first = `{destination: {host: app, subset: a}, weight: 1, headers: {request: {${arm}}}}`;
  const second = "{destination: {host: app, subset: b}, weight: 0}";
  return `- {headers: {request: {set: {x-a: rule}}}, route: [${first}, ${second}]}`;
}

describe("header changes", () => {
  it.each(headerCases)("rule {%s} with its destination's {%s} gives %j", (rule, arm, expected) => {
    const changes = `headers: {request: {${rule}}}`;
    const only = `{destination: {host: app}, headers: {request: {${arm}}}}`;
    expect(headersSeen(`- {${changes}, route: [${only}]}`)).toMatchObject(expected);
  });

  it("of one of several destinations come before those of the rule", () => {
    expect(headersSeen(twoArms("set: {x-a: arm, x-b: arm}"))).toMatchObject({ "x-a": "rule", "x-b": "arm" });
    expect(headersSeen(twoArms("add: {x-a: arm}"))).toMatchObject({ "x-a": "rule" });
  });
});

// Answers were read off Envoy 1.40.
describe("a whole URL as target", () => {
  const http = ["- {match: [{uri: {prefix: /in}}], route: [{destination: {host: app}}]}", answer(404)].join("\n");
  it.each([
    ["http://a.com/in?x=1", "a.com /in?x=1"],
    ["HTTP://A.com:80/in", "A.com:80 /in"],
    ["http://me:secret@a.com/in", "a.com /in"],
    ["http://a.com", 404],
    ["https://a.com/in", 403],
    ["ftp://a.com/in", 400],
    ["http:///in", 400],
    ["http://a.com:99999/in", 400],
    ["http://a.com:/in", 400],
    ["http://a_b.com/in", 400],
    ["http://a.com/in#f", 400],
    ["//a.com/in", "no-virtual-host"],
  ])("%s is answered by %s", (target, seen) => {
    expect(run(http, { ...get("other.com/"), target })).toBe(seen);
  });
});

// Locations were read off Envoy 1.40.
const redirects: readonly (readonly [redirect: string, url: string, seen: string])[] = [
  ["uri: /n", "a.com/x?y=1", "301 http://a.com/n?y=1"],
  ["uri: '/n?z=1', scheme: https, port: 8443", "a.com:80/x?y=1", "301 https://a.com:8443/n?z=1"],
  ["uri: /n, scheme: https", "a.com:80/x?y=1", "301 https://a.com/n?y=1"],
  ["uri: /n, scheme: https", "a.com:8080/x?", "301 https://a.com:8080/n?"],
  ["authority: h.com, port: 99", "a.com:8080/x?y=1", "301 http://h.com:99/x?y=1"],
  ["authority: h.com, redirectCode: 308", "a.com/a/../b", "308 http://h.com/b"],
  ["uri: new/x", "a.com/a?y", "301 http://a.com/new/x?y"],
  ['uri: "?b=c"', "a.com/a?y", "301 http://a.com/?b=c"],
  ["uri: /n, derivePort: FROM_REQUEST_PORT", "a.com:80/x", "301 http://a.com:80/n"],
  ["uri: /n, derivePort: FROM_REQUEST_PORT, scheme: https", "a.com/x", "301 https://a.com:80/n"],
  ["uri: /n, port: 443, scheme: https", "a.com:80/x", "301 https://a.com/n"],
];

describe("redirects", () => {
  it.each(redirects)("{%s} sends %s to %s", (redirect, url, seen) => {
    expect(run(`- redirect: {${redirect}}`, get(url))).toBe(seen);
  });
});

describe("hosts", () => {
  const { table } = tableOf(
    openGateway +
      virtualService("exact", { hosts: ["a.x.com"], http: answer(201, "{uri: {prefix: /only}}") }) +
      virtualService("long", { hosts: ["*.a.x.com"], http: answer(202) }) +
      virtualService("short", { hosts: ["*.x.com"], http: answer(203) }) +
      virtualService("any", { hosts: ["*"], http: answer(204) }),
  );
  it.each([
    ["a.x.com/only", 201],
    ["A.X.COM:99/only", 201],
    ["a.x.com:/only", 201],
    // A less specific host is no fallback.
    ["a.x.com/other", "no-route"],
    ["b.a.x.com/", 202],
    ["c.b.a.x.com/", 202],
    ["b.x.com/", 203],
    // A wildcard needs something in its place.
    [".x.com/", 204],
    ["x.com/", 204],
    ["[::1]:80/", 204],
    ["/", 204],
  ])("%s is answered by %s", (url, status) => {
    expect(statusOf(simulate(table, get(url)).result)).toBe(status);
  });

  it("knows ports and refused paths", () => {
    expect(statusOf(simulate(table, { ...get("a.x.com/"), port: 81 }).result)).toBe("no-listener");
    expect(statusOf(simulate(table, get("a.x.com/#f")).result)).toBe(400);
  });
});
