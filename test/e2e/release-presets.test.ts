import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReleaseReport } from "../../src/core/release/report/release-report.ts";
import { isFailed } from "../load/load-summary.ts";
import type { LoadRecord } from "../load/load-records.ts";
import { eventually } from "./product.ts";
import { type PresetCase, presetCases, requestsOf, slowMs } from "./preset-cases.ts";
import { PresetMesh } from "./preset-mesh.ts";

/** What came of one release, as kirikae reports it and as its visitors saw it. */
interface Outcome {
  readonly report: ReleaseReport;
  readonly records: readonly LoadRecord[];
  readonly routesBefore: unknown;
  /** Read again and again, because weights are written into routes a while after they have moved. */
  readonly routesNow: () => Promise<unknown>;
}

let mesh: PresetMesh;
const outcomes = new Map<string, Outcome>();

/** How long after the end of the last release visitors are looked at. */
const aftermathMs = 1_000;

beforeAll(async () => {
  mesh = await PresetMesh.create();
  const before = await mesh.virtualHosts();
  for (const presetCase of presetCases) await mesh.start(presetCase);
  const mortals = presetCases.filter(({ fault }) => fault === "dies");
  await Promise.all(mortals.map((presetCase) => mesh.reachLastCheck(presetCase)));
  mesh.killMortals();
  await mesh.ends();
  await new Promise((resolve) => setTimeout(resolve, slowMs + aftermathMs));
  const { records } = await mesh.load.stop();
  const byCase = Map.groupBy(records, ({ request }) => nameOfShape(request));
  for (const { name } of presetCases) {
    const host = `${name}.test`;
    outcomes.set(name, {
      report: await mesh.api.report(`shop/${name}`),
      records: byCase.get(name) ?? [],
      routesBefore: before.get(host),
      routesNow: async () => (await mesh.virtualHosts()).get(host),
    });
  }
}, 120_000);

afterAll(async () => {
  await mesh[Symbol.asyncDispose]();
});

const shapes = presetCases.flatMap((presetCase) => requestsOf(presetCase).map(() => presetCase.name));

function nameOfShape(index: number): string {
  return shapes[index] ?? "";
}

function outcomeOf({ name }: PresetCase): Outcome {
  const outcome = outcomes.get(name);
  if (outcome === undefined) throw new Error(`${name} has no outcome.`);
  return outcome;
}

function casesOf(...faults: readonly PresetCase["fault"][]): readonly PresetCase[] {
  return presetCases.filter(({ fault }) => faults.includes(fault));
}

/** Who answers once everything is decided, until the load ends. */
function versionsAfter({ records }: Outcome, sinceMs: number): ReadonlySet<string> {
  const after = records.filter(({ sentMs }) => sentMs > sinceMs + 100);
  return new Set(after.map(({ version, status }) => version ?? `${status} of no version`));
}

/** The routes with all weights on the other version. */
function swapped(routes: unknown): unknown {
  const text = JSON.stringify(routes).replaceAll(/\|(blue|green)\|/gu, (_, color: string) =>
    color === "blue" ? "|green|" : "|blue|",
  );
  return sorted(JSON.parse(text));
}

/** The order of versions within a split says nothing. */
function sorted(routes: unknown): unknown {
  return JSON.parse(JSON.stringify(routes), (key, value: unknown) =>
    key === "clusters" && Array.isArray(value)
      ? value.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
      : value,
  );
}

async function expectRoutes({ routesNow }: Outcome, wanted: unknown): Promise<void> {
  let seen: unknown;
  await eventually("routes without a trace", async () => {
    seen = sorted(await routesNow());
    return JSON.stringify(seen) === JSON.stringify(wanted) ? true : undefined;
  }).catch(() => undefined);
  expect(seen).toEqual(wanted);
}

test.each(casesOf("healthy"))("a good version by $preset gets everybody, and nobody notices", async (presetCase) => {
  const outcome = outcomeOf(presetCase);
  const { report, records } = outcome;
  expect(report).toMatchObject({ phase: "done", counted: { failed: 0, isComplete: true }, detours: [] });
  const ledgers = report.steps.flatMap(({ moves }) => moves.flatMap(({ ledger }) => ledger ?? []));
  expect(ledgers.map(({ failed }) => failed)).toEqual(ledgers.map(() => 0));
  expect(records.filter(isFailed)).toEqual([]);
  expect(new Set(records.map(({ version }) => version))).toEqual(new Set(["blue", "green"]));
  expect(versionsAfter(outcome, Date.parse(report.endedAt ?? ""))).toEqual(new Set(["green"]));
  await expectRoutes(outcome, swapped(outcome.routesBefore));
});

describe.each(casesOf("errors", "slow", "dies"))("a new version by $preset that $fault", (presetCase) => {
  const { fault, preset } = presetCase;
  const words = {
    healthy: /never/u,
    errors:
      preset === "mirrorFirst"
        ? /answers to copied requests differed, and 1 % may$/u
        : /of \d+ answers of the new version were good, and 99 % are asked for$/u,
    slow: /p99 of \d+ answers of the new version was 1\d\d\d ms, and at most 800 ms are asked for$/u,
    dies: /of \d+ answers of the new version were good, and 90 % are asked for$/u,
  };

  test("is taken back by its check, and everybody is whole on the version before", async () => {
    const outcome = outcomeOf(presetCase);
    const { report, records } = outcome;
    expect(report).toMatchObject({ phase: "rolledBack", message: expect.stringMatching(words[fault]) });
    expect(report.detours).toMatchObject([{ kind: "back", actor: "kirikae" }]);
    expect(versionsAfter(outcome, Date.parse(report.endedAt ?? ""))).toEqual(new Set(["blue"]));
    // Only the new version fails; a request to one that is dead is answered by nobody.
    const failed = records.filter(isFailed);
    expect(failed.filter(({ version }) => version === "blue")).toEqual([]);
    expect(failed.filter(({ version }) => version !== (fault === "dies" ? undefined : "green"))).toEqual([]);
    await expectRoutes(outcome, sorted(outcome.routesBefore));
  });

  test("has met as many requests as its report says, for as long", () => {
    const { report, records } = outcomeOf(presetCase);
    const met = records.filter(({ version }) => version !== "blue");
    const { backAt, firstError } = report.takenBack ?? {};
    const backMs = Date.parse(backAt ?? "");
    const answered = met.filter(({ doneMs }) => doneMs < backMs);
    // What was under way while everything went back may be answered after the last count.
    expect(report.newVersion.requests).toBeGreaterThanOrEqual(answered.length);
    expect(report.newVersion.requests).toBeLessThanOrEqual(met.length);
    expect(report.newVersion.failed).toBeGreaterThanOrEqual(answered.filter(isFailed).length);
    expect(report.newVersion.failed).toBeLessThanOrEqual(met.filter(isFailed).length);
    const bad = met.filter(isFailed);
    // Copies of requests have shown the errors before anybody met them, and what is slow has not failed.
    if (fault === "errors" && preset === "mirrorFirst") expect(met).toEqual([]);
    else expect(bad.length > 0).toBe(fault !== "slow");
    if (bad.length === 0) {
      expect(firstError).toBeNull();
      return;
    }
    const firstMs = Math.min(...bad.map(({ doneMs }) => doneMs));
    const lastMs = Math.max(...bad.map(({ sentMs }) => sentMs));
    if (firstError === null || firstError === undefined) throw new Error("The report has no first error.");
    const afterMs = Date.parse(firstError.after);
    expect(firstMs).toBeGreaterThan(afterMs - 100);
    expect(firstMs).toBeLessThan(afterMs + firstError.withinMs + 100);
    expect(lastMs - firstMs).toBeLessThan(firstError.toBackMs + 100);
  });
});
