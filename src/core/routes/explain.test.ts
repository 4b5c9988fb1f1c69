import { describe, expect, it } from "vitest";
import {
  answer,
  gateway,
  get,
  openGateway,
  service,
  tableOf,
  virtualService,
} from "../../../test/arbitrary/table-of.ts";
import { explain } from "./explain.ts";
import type { SimulatedRequest } from "./simulation.ts";

const yaml =
  gateway("gw", { hosts: ["a.com", "b.com", "nc.com", "idle.com"] }) +
  virtualService("app", {
    hosts: ["a.com"],
    http: [
      "- {name: preview, match: [{name: header, headers: {x-version: {exact: green}}}, {queryParams: {v: {exact: green}}}], route: [{destination: {host: app, subset: green}}]}",
      "- {match: [{uri: {prefix: /old}}], redirect: {uri: /new}}",
      "- route: [{destination: {host: app, subset: blue}, weight: 1}, {destination: {host: app, subset: green}, weight: 2}]",
    ].join("\n"),
  }) +
  virtualService("narrow", { hosts: ["b.com"], http: answer(204, "{uri: {exact: /x}, method: {exact: POST}}") }) +
  virtualService("broken", { hosts: ["nc.com"], http: "- route: [{destination: {host: app, subset: gone}}]" }) +
  virtualService("inside", { hosts: ["mesh.com"], gateways: ["mesh"], http: answer(200) }) +
  service("app", ["blue", "green"]);
const { table } = tableOf(yaml);
const ask = (request: SimulatedRequest) => explain(table, request, { endpoints: () => [] });
const lastReason = (request: SimulatedRequest) => ask(request).steps.at(-1)?.reason;

describe("explain", () => {
  it("names rule, match, place, arms and endpoints", () => {
    const explanation = ask(get("a.com/?v=green"));
    expect(explanation).toMatchObject({
      outcome: "route",
      status: 200,
      flag: null,
      virtualService: "default/app",
      rule: 0,
      match: 1,
      name: "preview",
      arms: [
        {
          cluster: "outbound|80|green|app.default.svc.cluster.local",
          host: "app.default.svc.cluster.local",
          subset: "green",
          port: 80,
          weightPercent: 100,
          endpoints: ["127.0.0.2:80"],
        },
      ],
      at: { file: "mesh.yaml" },
    });
    expect(Object.keys(explanation)).toEqual(
      expect.arrayContaining([
        "outcome",
        "status",
        "flag",
        "virtualService",
        "rule",
        "match",
        "name",
        "arms",
        "at",
        "steps",
      ]),
    );
  });

  it("gives shares in percent and null for a rule without conditions", () => {
    const { match, name, arms, rule } = ask(get("a.com/"));
    expect([rule, match, name]).toEqual([2, null, null]);
    expect(arms.map(({ weightPercent }) => weightPercent)).toEqual([33.33, 66.67]);
  });

  it("says for each earlier rule which condition failed first", () => {
    expect(ask(get("a.com/", { "x-version": "blue" })).steps.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("port 80 belongs to default/gw"),
      "a.com is served by this name",
      'the header x-version is "blue", not exactly "green"',
      'the query parameter v is absent, and it must be exactly "green"',
      "the path is /, not with the prefix /old",
      expect.stringContaining("it takes every request"),
    ]);
  });

  it("answers redirects", () => {
    expect(ask(get("a.com/old/x"))).toMatchObject({ outcome: "redirect", status: 301, flag: null, rule: 1, match: 0 });
    expect(lastReason(get("a.com/old/x?y"))).toContain("http://a.com/new?y");
  });

  it.each([
    [{ ...get("a.com/"), port: 81 }, "nothing listens on port 81; gateway servers have the ports 80"],
    [get("other.com/"), "no gateway server on this port admits other.com; admitted are a.com, b.com, nc.com, idle.com"],
    [
      get("idle.com/"),
      "a gateway server admits idle.com, but no VirtualService with a rule for this listener names it",
    ],
    [get("mesh.com/"), "VirtualService default/inside has rules for mesh.com, but it is bound to the mesh only"],
    [get("b.com/x"), 'the header :method is "GET", not exactly "POST"'],
    [get("b.com/y"), "the path is /y, not exactly /x"],
  ])("says why nothing takes the request (%#)", (request, reason) => {
    const { status, flag, ...rest } = ask(request);
    expect(rest).toMatchObject({ outcome: "miss", virtualService: null, arms: [] });
    expect([status, flag]).toEqual(request.port === 81 ? [0, null] : [404, "NR"]);
    expect(lastReason(request)).toContain(reason);
  });

  it("foresees a destination that does not exist", () => {
    expect(ask(get("nc.com/"))).toMatchObject({ outcome: "route", status: 503, flag: "NC", arms: [{ endpoints: [] }] });
  });
});

describe("a destination without endpoints", () => {
  it("is 503 UH", () => {
    const empty = service("app").replace(/endpoints: \[.*\]/, "endpoints: []");
    const { table: other } = tableOf(
      openGateway + virtualService("v", { hosts: ["a.com"], http: "- route: [{destination: {host: app}}]" }) + empty,
    );
    expect(explain(other, get("a.com/"), { endpoints: () => [] })).toMatchObject({ status: 503, flag: "UH" });
  });
});
