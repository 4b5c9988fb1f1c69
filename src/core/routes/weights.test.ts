import { describe, expect, it } from "vitest";
import { get, onlyRouting, openGateway, service, tableOf, virtualService } from "../../../test/arbitrary/table-of.ts";
import { simulate } from "./simulate.ts";
import { splitsOf, weightsOf, withWeights } from "./weights.ts";

const blueGreen = [
  "- {name: preview, match: [{headers: {x-version: {exact: green}}}], route: [{destination: {host: app, subset: green}}]}",
  "- {name: public, route: [{destination: {host: app, subset: blue}}]}",
].join("\n");
const { table } = tableOf(
  openGateway +
    virtualService("one", { hosts: ["a.com", "b.com"], http: blueGreen }) +
    virtualService("two", { hosts: ["c.com"], http: blueGreen }) +
    virtualService("plain", { hosts: ["d.com"], http: "- redirect: {uri: /x}" }) +
    service("app", ["blue", "green"]),
);
const blue = "outbound|80|blue|app.default.svc.cluster.local";
const green = "outbound|80|green|app.default.svc.cluster.local";

describe("splitsOf", () => {
  it("lists what forwards, whatever the number of its hosts", () => {
    expect([...splitsOf(table).keys()]).toEqual([
      "default/one/preview",
      "default/one/public",
      "default/two/preview",
      "default/two/public",
    ]);
  });
});

describe("withWeights", () => {
  const moved = withWeights(table, new Map([["default/one/public", { [blue]: 0, [green]: 100 }]]));

  it("moves one split on all its hosts and keeps the identity of the rest", () => {
    expect(
      splitsOf(moved)
        .get("default/one/public")
        ?.arms.map(({ weight }) => weight),
    ).toEqual([0, 100]);
    const hosts = onlyRouting(moved).virtualHosts;
    for (const [index, host] of onlyRouting(table).virtualHosts.entries()) {
      expect(hosts[index] === host).toBe(host.domain === "c.com" || host.domain === "d.com");
    }
    const { result } = simulate(moved, get("b.com/"));
    expect(result.kind === "route" && result.arms.map(({ arm }) => arm.destination)).toEqual([green]);
  });

  it("can be applied again, back to where it came from", () => {
    const back = withWeights(moved, new Map([["default/one/public", { [blue]: 100 }]]));
    expect(back).toEqual(table);
  });

  it("returns the same table when nothing changes", () => {
    expect(withWeights(table, new Map())).toBe(table);
    expect(withWeights(table, new Map([["nobody", { [blue]: 1 }]]))).toBe(table);
    expect(withWeights(table, new Map([["default/one/public", { [blue]: 100, [green]: 0 }]]))).toBe(table);
  });

  it("never leaves a split without any share", () => {
    expect(withWeights(table, new Map([["default/one/public", { [blue]: 0, [green]: 0 }]]))).toBe(table);
  });
});

describe("weightsOf", () => {
  it("is by destination", () => {
    const split = splitsOf(table).get("default/one/public");
    expect(split === undefined ? undefined : weightsOf(split)).toEqual({ [blue]: 100, [green]: 0 });
  });
});
