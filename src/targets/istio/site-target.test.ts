import { describe, expect, test } from "vitest";
import { playedArm, playedShares, PlayedSite, playedSplit } from "../../../test/played-site.fixture.ts";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { ApplyReport } from "../../engine/ports.ts";

const timeoutMs = 20_000;

const [before, after] = [playedShares(100), playedShares(0)];

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
  expect(site.weights()).toEqual(playedShares(70).get(playedSplit));
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

test("says of gateways that nobody knows whether they are connected while istiod does not answer", async () => {
  const site = new PlayedSite();
  const target = site.openTarget();
  expect(await target.status()).toMatchObject([{ node: "gateway-1.istio-system", connected: true }]);
  site.isIstiodSilent = true;
  const unknown = "istiod istiod-1 does not answer (refused)";
  const gateway = { node: "gateway-1.istio-system", connected: false, types: [] };
  expect(await target.status()).toMatchObject([{ ...gateway, unknown }]);
  site.hasIstiod = false;
  expect(await target.status()).toMatchObject([{ ...gateway, unknown: "no istiod was found" }]);
  site.hasGateway = false;
  await expect(target.status()).rejects.toThrow("Nobody can tell which proxies there are: no istiod was found.");
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

test.concurrent("says of a proxy that lags what it shows, steadily", async () => {
  const site = new PlayedSite();
  site.addLaggingGateway();
  const told: string[] = [];
  const onProgress = (text: string): void => {
    told.push(text);
    if (!text.includes("shows blue 100")) return;
    // It is asked too much for a moment.
    site.isStuckOneSilent = true;
    setTimeout(() => {
      site.isStuckOneSilent = false;
    }, 500);
  };
  const report = await site.openTarget().apply(after, { timeoutMs: 3_500, onProgress });
  expect(told).toEqual([
    "1 of 2 proxies confirmed; gateway-3.istio-system shows what it did before",
    "1 of 2 proxies confirmed; gateway-3.istio-system shows blue 100",
  ]);
  expect(messageOf(report)).toBe("1 of 2 proxies confirmed; gateway-3.istio-system shows blue 100");
});

test.concurrent("says of a proxy that does not answer for long that nobody reaches it", async () => {
  const site = new PlayedSite();
  site.addLaggingGateway();
  const report = await site.openTarget().apply(after, {
    timeoutMs: 5_000,
    onProgress: () => {
      site.isStuckOneSilent = true;
    },
  });
  expect(messageOf(report)).toBe("1 of 2 proxies confirmed; gateway-3.istio-system unreachable");
});

describe("where a gateway refuses its routes already", () => {
  const reason = "duplicate domain shop.example.com";

  test("moves nothing forward, also where the release goes on without what cannot be reached", async () => {
    const site = new PlayedSite();
    site.addRefusingGateway(reason);
    const target = site.openTarget();
    for (const proof of [undefined, { timeoutMs, unreachable: "goOn" } as const]) {
      const { ok, checks } = await target.preflight({ ...plan, ...(proof !== undefined && { proof }) });
      expect(ok).toBe(false);
      const check = checks.find(({ name }) => name === "proxies");
      expect(check).toMatchObject({ verdict: "fail" });
      expect(check?.detail).toContain(`KIR4043 gateway-3.istio-system refuses its routes already: ${reason}.`);
    }
    expect(site.writes).toBe(0);
  });

  test("goes back without it, and names it", async () => {
    const site = new PlayedSite();
    const target = site.openTarget();
    await target.apply(after, { timeoutMs, replaces: [before, after] });
    site.addRefusingGateway(reason);
    const back = { ...plan, verb: "rollback" } as const;
    expect(await target.preflight(back)).toMatchObject({
      ok: true,
      checks: [{ name: "proxies", verdict: "unknown" }, {}],
    });
    const report = await target.apply(before, { timeoutMs, replaces: [before, after], isWayBack: true });
    expect(report).toMatchObject({
      kind: "proved",
      note: `1 of 2 proxies confirmed; gateway-3.istio-system refuses its routes: ${reason}`,
      proxies: [{ node: "gateway-1.istio-system" }],
      passedOver: ["gateway-3.istio-system"],
    });
    expect(site.weights()).toEqual(before.get(playedSplit));
    expect(await target.observe([playedSplit])).toEqual([{ split: playedSplit, weights: before.get(playedSplit) }]);
  });

  test("takes a move forward back that was written nevertheless", async () => {
    const site = new PlayedSite();
    site.addRefusingGateway(reason);
    const report = await site.openTarget().apply(after, { timeoutMs, replaces: [before, after] });
    expect(report).toMatchObject({ kind: "rejected", node: "gateway-3.istio-system" });
    expect(site.weights()).toEqual(before.get(playedSplit));
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
