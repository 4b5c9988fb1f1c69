import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { ReleaseReport } from "../../src/core/release/report/release-report.ts";
import { faultyApp } from "../crash/faulty-app.ts";
import { SampleMesh } from "../crash/sample-mesh.ts";
import { isFailed } from "../load/load-summary.ts";
import type { LoadRecord } from "../load/load-records.ts";
import { eventually } from "./product.ts";

/** `examples/blue-green` with an app that fails when it is told to, and a release of it. */
class ReportedMesh {
  readonly mesh: SampleMesh;
  readonly file: string;

  constructor(mesh: SampleMesh, strategy: string) {
    this.mesh = mesh;
    mesh.sandbox.write("server.js", faultyApp);
    this.file = join(mesh.sandbox.root, "release.yaml");
    const spec = `{routes: [{virtualService: sample-app}], to: green, strategy: ${strategy}}`;
    const metadata = "{name: to-green, namespace: sample-ns}";
    writeFileSync(this.file, `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: ${metadata}, spec: ${spec}}`);
  }

  async tell(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await this.mesh.sandbox.cli(args);
    if (stdout === "") throw new Error(stderr);
    return stdout;
  }

  async report(): Promise<ReleaseReport> {
    return JSON.parse(await this.tell("report", "to-green", "--format", "json"));
  }

  /** Waits for a hold without an end at this step, or for the end. */
  async until(goal: "done" | number): Promise<void> {
    await eventually(`step ${goal}`, async () => {
      const [status] = await (await this.mesh.sandbox.api()).releases();
      const isThere = goal === "done" ? status?.phase === "done" : status?.phase === "holding" && status.step === goal;
      return isThere ? true : undefined;
    });
  }
}

/** As the report counts: answers of 500 and more have failed. */
function countByVersion(records: readonly LoadRecord[]): ReleaseReport["counted"]["byVersion"] {
  const counted = Map.groupBy(records, ({ version }) => version ?? "none");
  return Object.fromEntries(
    [...counted].map(([version, own]) => {
      const failed = own.filter(isFailed).length;
      return [version, { requests: own.length, ok: own.length - failed, failed }];
    }),
  );
}

test("a report counts what clients have counted, also over a kill of kirikae", async () => {
  await using mesh = await SampleMesh.create();
  const released = new ReportedMesh(
    mesh,
    "{steps: [{weight: 10}, {hold: {}}, {weight: 50}, {hold: {}}, {switch: {}}]}",
  );
  const first = await mesh.sandbox.up({ args: mesh.args });
  await released.tell("start", released.file, "--reason", "week 47");
  await released.until(2);
  await using load = await mesh.load();
  await delay(1_500);
  // Envoy serves on, and the next process finds its counters where the last event has left them.
  await first.kill();
  await delay(500);
  const second = await mesh.sandbox.up({ args: mesh.args });
  await released.tell("promote", "to-green");
  await released.until(4);
  mesh.sandbox.write("fault-green", "error");
  await delay(500);
  mesh.sandbox.write("fault-green", "");
  await delay(500);
  const { records } = await load.stop();
  const byVersion = countByVersion(records);
  await eventually("all answers in the report", async () => {
    const { counted } = await released.report();
    return counted.requests === records.length ? true : undefined;
  });
  await released.tell("promote", "to-green");
  await released.until("done");

  const report = await released.report();
  expect(report.counted).toMatchObject({ byVersion, isComplete: true });
  expect(byVersion["green"]?.failed).toBeGreaterThan(0);
  expect(report.newVersion).toEqual({ names: ["green"], ...byVersion["green"] });
  // Testers' requests are another rule's, which the step left alone.
  expectLedgerOf(
    report,
    records.filter(({ request }) => request === 0),
  );

  // Without a process the journal says the same.
  await second.stop();
  expect({ ...(await released.report()), madeAt: report.madeAt }).toEqual(report);
  const page = join(mesh.sandbox.root, "report.html");
  await mesh.sandbox.cli(["report", "to-green", "--format", "html", "--output", page]);
  expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>[^]*<svg[^]*week 47[^]*<\/html>\n$/u);
  expect(await released.tell("report", "to-green")).toContain("# Release sample-ns/to-green to green: done");
});

/**
 * Of the step that moved under load: each request that ended in the time in which it surely counted is in its ledger, and
 * none that ended outside of the step. Clients hear of an answer a little after the proxy has logged it.
 */
function expectLedgerOf(report: ReleaseReport, records: readonly LoadRecord[]): void {
  const step = report.steps[2];
  const move = step?.moves[0];
  const ledger = move?.ledger ?? undefined;
  if (ledger === undefined) throw new Error("The step has no ledger.");
  const provedMs = Date.parse(move?.provedAt ?? "");
  const least = countEnded(records, { fromMs: provedMs + 150, untilMs: provedMs + 400 });
  const most = countEnded(records, {
    fromMs: Date.parse(step?.startedAt ?? "") - 100,
    untilMs: Date.parse(step?.endedAt ?? "") + 500,
  });
  expect(ledger).toMatchObject({ failed: 0, isComplete: true, failedByVersion: { blue: 0, green: 0 } });
  expect(least["green"]).toBeGreaterThan(5);
  for (const version of ["blue", "green"]) {
    expect(ledger.byVersion[version]).toBeGreaterThanOrEqual(least[version] ?? 0);
    expect(ledger.byVersion[version]).toBeLessThanOrEqual(most[version] ?? 0);
  }
}

function countEnded(
  records: readonly LoadRecord[],
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Readonly<Record<string, number>> {
  const ended = records.filter(({ doneMs }) => doneMs > fromMs && doneMs < untilMs);
  const byVersion = Map.groupBy(ended, ({ version }) => version ?? "");
  return Object.fromEntries([...byVersion].map(([name, own]) => [name, own.length]));
}

test("a report says who met a bad version, and how soon all traffic was back", async () => {
  await using mesh = await SampleMesh.create();
  const released = new ReportedMesh(
    mesh,
    "{steps: [{weight: 20}, {hold: {}}, {check: {duration: 30s}}, {switch: {}}]}",
  );
  await mesh.sandbox.up({ args: mesh.args });
  await released.tell("start", released.file);
  await released.until(2);
  await using load = await mesh.load();
  await released.tell("promote", "to-green");
  await delay(1_500);
  mesh.sandbox.write("fault-green", "error");
  const wroteMs = Date.now();
  await released.tell("wait", "to-green", "--for", "failed", "--timeout", "30s");
  const report = await released.report();
  const { records } = await load.stop();
  const firstBadMs = Math.min(...records.filter(isFailed).map(({ doneMs }) => doneMs));
  expect(firstBadMs).toBeGreaterThanOrEqual(wroteMs - 50);

  expect(report).toMatchObject({ phase: "rolledBack", counted: { isComplete: true } });
  expect(report.steps[2]).toMatchObject({ verdicts: [{ verdict: "fail" }] });
  expect(report.detours).toMatchObject([{ kind: "back", actor: "kirikae" }]);
  const { takenBack } = report;
  const { firstError } = takenBack ?? {};
  if (takenBack === null || firstError === null || firstError === undefined) throw new Error("Nothing was taken back.");
  const afterMs = Date.parse(firstError.after);
  expect(firstBadMs).toBeGreaterThan(afterMs - 100);
  expect(firstBadMs).toBeLessThan(afterMs + firstError.withinMs + 100);
  // Testers go on to ask for green by its header; nobody else meets it any more.
  const publicRecords = records.filter(({ request }) => request === 0);
  const lastBadMs = Math.max(...publicRecords.filter(isFailed).map(({ sentMs }) => sentMs));
  expect(lastBadMs).toBeLessThan(Date.parse(takenBack.backAt) + 10);
  expect(report.newVersion.failed).toBeGreaterThanOrEqual(publicRecords.filter(isFailed).length);
});
