import { expect, test } from "vitest";
import { playedArm, PlayedSite, playedSplit } from "../../../test/played-site.fixture.ts";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { WeightOverrides } from "../../core/routes/route-table.ts";
import type { ApplyReport } from "../../engine/ports.ts";

const timeoutMs = 20_000;

function shares(blue: number): WeightOverrides {
  return new Map([[playedSplit, { [playedArm("blue")]: blue, [playedArm("green")]: 100 - blue }]]);
}

const [before, after] = [shares(100), shares(0)];

/** What a target reads of a plan. */
const plan = {
  virtualService: "shop/web",
  from: "blue",
  to: "green",
  changes: [
    {
      split: playedSplit,
      virtualService: "shop/web",
      before: before.get(playedSplit),
      after: after.get(playedSplit),
    },
  ],
  versions: ["blue", "green"].map((name) => ({ name, destinations: [playedArm(name)] })),
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest of a plan is for people.
} as unknown as MovePlan;

function listenersOf(service: string): string {
  return JSON.stringify({ config: `/apis/networking.istio.io/v1/namespaces/shop/virtual-service/${service}` });
}

function messageOf(report: ApplyReport): string | undefined {
  return "message" in report ? report.message : undefined;
}

test("writes once and proves what a proxy shows", async () => {
  const site = new PlayedSite();
  const target = site.openTarget();
  expect((await target.preflight(plan)).ok).toBe(true);
  expect(await target.apply(after, { timeoutMs, replaces: [before, after] })).toMatchObject({
    kind: "proved",
    proxies: [{ node: "gateway-1.istio-system" }],
  });
  expect(site.writes).toBe(1);
  expect(site.weights()).toEqual(after.get(playedSplit));
});

test("takes nothing back where somebody else has moved the rule since", async () => {
  const site = new PlayedSite();
  const target = site.openTarget();
  await target.apply(after, { timeoutMs, replaces: [before, after] });
  site.write({ blue: 70, green: 30 });
  const report = await target.apply(before, { timeoutMs, replaces: [before, after] });
  expect(report).toMatchObject({ kind: "rejected", isUntouched: true, resource: `rule ${playedSplit}` });
  expect(messageOf(report)).toContain("Somebody else has moved shop/web/public since");
  expect(site.writes).toBe(1);
  expect(site.weights()).toEqual(shares(70).get(playedSplit));
});

test("takes back where some of it was never written", async () => {
  const site = new PlayedSite();
  const target = site.openTarget();
  expect(await target.apply(before, { timeoutMs, replaces: [before, after] })).toMatchObject({ kind: "proved" });
  expect(site.writes).toBe(0);
});

test("waits for a gateway that has just started and has no routes yet", async () => {
  const site = new PlayedSite();
  site.lateGatewayMs = 1_200;
  const report = await site.openTarget().apply(after, { timeoutMs });
  expect(report).toMatchObject({
    kind: "proved",
    proxies: [{ node: "gateway-1.istio-system" }, { node: "gateway-2.istio-system" }],
  });
});

test("waits for a replica of istiod without proxies, also where an earlier attempt has written", async () => {
  const site = new PlayedSite();
  site.addIdleIstiod();
  site.write({ blue: 0, green: 100 });
  const report = await site.openTarget().apply(after, { timeoutMs: 600, replaces: [before, after] });
  expect(report).toMatchObject({ kind: "unproved" });
  expect(messageOf(report)).toContain("istiod istiod-2 does not know it yet");
  expect(site.writes).toBe(0);
});

test("proves nothing where no istiod tells which proxies there are", async () => {
  const site = new PlayedSite();
  site.hasIstiod = false;
  const report = await site.openTarget().apply(after, { timeoutMs: 600 });
  expect(report).toMatchObject({ kind: "unproved" });
  expect(messageOf(report)).toContain("no istiod was found");
});

test("moves nothing that a waypoint serves, because its routes cannot be read", async () => {
  const site = new PlayedSite();
  site.listed.push({ proxy: "waypoint-1.shop", kind: "waypoint", listeners: listenersOf("website") });
  expect((await site.openTarget().preflight(plan)).ok).toBe(true);
  site.listed.push({ proxy: "waypoint-2.shop", kind: "waypoint", listeners: listenersOf("web") });
  const { ok, checks } = await site.openTarget().preflight(plan);
  expect(ok).toBe(false);
  expect(checks).toContainEqual({
    name: "proxies",
    verdict: "fail",
    detail: "what waypoints use cannot be seen: waypoint-2.shop",
  });
});

test("gives no other definition to a subset that is live", async () => {
  const site = new PlayedSite();
  const edit = { destinationRule: "shop/web", add: [{ name: "green", labels: { version: "red" } }], remove: [] };
  const report = await site.openTarget().editSubsets(edit, { timeoutMs });
  expect(report).toMatchObject({ kind: "rejected", resource: "DestinationRule shop/web" });
  expect(messageOf(report)).toContain("KIR2062");
  expect(site.writes).toBe(0);
});

test("says why it counts nothing", async () => {
  await using session = await new PlayedSite().openTarget().openLedger(plan);
  expect(await session.close()).toBeUndefined();
  expect(session.uncounted).toBe("gateway-1.istio-system cannot be asked (no way leads there)");
});
