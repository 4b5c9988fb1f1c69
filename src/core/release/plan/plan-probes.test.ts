import { describe, expect, it } from "vitest";
import { gateway, service, tableOf, virtualService } from "../../../../test/arbitrary/table-of.ts";
import type { Probes } from "../../manifest/release.ts";
import { splitsOf } from "../../routes/weights.ts";
import { planProbes } from "./plan-probes.ts";

const to = "route: [{destination: {host: app, subset: blue}}]";
const { table } = tableOf(
  gateway("gw", { hosts: ["a.com", "*.b.com", "c.com"] }) +
    virtualService("app", {
      hosts: ["a.com", "*.b.com"],
      http: [
        `- {name: exact, match: [{uri: {exact: /one}, queryParams: {v: {exact: "2 3"}}}], ${to}}`,
        `- {name: marked, match: [{uri: {prefix: /m}, headers: {x-a: {exact: yes1}, x-b: {prefix: p}}}], ${to}}`,
        `- {name: pattern, match: [{uri: {regex: "/r/[0-9]+"}}, {uri: {prefix: /q}, headers: {x-a: {regex: "a+"}}}], ${to}}`,
        `- {name: writes, match: [{uri: {prefix: /w}, method: {exact: POST}}], ${to}}`,
        `- {name: closed, match: [{uri: {prefix: /z/}}], directResponse: {status: 403}}`,
        `- {name: hidden, match: [{uri: {exact: /z/y}}], ${to}}`,
        `- {name: rest, ${to}}`,
      ].join("\n"),
    }) +
    virtualService("other", { hosts: ["c.com"], http: `- {name: other, ${to}}` }) +
    service("app", ["blue"]),
);
const splits = new Set([...splitsOf(table).keys()].filter((id) => id.startsWith("default/app")));

function plan(requests: Probes["requests"] = []) {
  const { probes, leftOut } = planProbes(table, { perSecond: 10, requests }, splits);
  return { probes: probes.map(({ host, path, headers }) => ({ line: `${host}${path}`, headers })), leftOut };
}

const askFor = (host: string, path: string) => ({ host, path, method: "HEAD" as const });

describe("planProbes", () => {
  it("asks every host and path of the moved rules, with all that they ask for", () => {
    const none = {};
    const marked = { "x-a": "yes1", "x-b": "p" };
    expect(plan().probes).toEqual([
      { line: "a.com/one?v=2%203", headers: none },
      { line: "a.com/m", headers: marked },
      { line: "a.com/", headers: none },
      { line: "kirikae-probe.b.com/one?v=2%203", headers: none },
      { line: "kirikae-probe.b.com/m", headers: marked },
      { line: "kirikae-probe.b.com/", headers: none },
    ]);
  });

  it("says what it cannot make up, and what another rule would take", () => {
    expect(plan().leftOut.filter((line) => line.includes("a.com"))).toEqual([
      "a.com/r/[0-9]+, which is a pattern",
      "a.com/q*, whose header x-a is asked for by a pattern",
      "a.com/w*, which takes POST alone",
      "GET a.com/z/y, which another rule takes",
    ]);
  });

  it("asks what somebody has named, and only where a moved rule takes it", () => {
    expect(plan([askFor("a.com", "/x"), askFor("c.com", "/"), askFor("nobody.com", "/")])).toEqual({
      probes: [{ line: "a.com/x", headers: {} }],
      leftOut: [
        "HEAD c.com/, which no moved rule of a gateway takes",
        "HEAD nobody.com/, which no moved rule of a gateway takes",
      ],
    });
  });
});
