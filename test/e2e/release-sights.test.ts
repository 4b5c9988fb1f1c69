import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ReleaseStatus } from "../../src/api/types.ts";
import type { ReleaseEvent } from "../../src/core/release/state/release-state.ts";
import { expectNothingLost, SampleMesh } from "../crash/sample-mesh.ts";

/** Starts a release of the sample with these members of its spec, and waits until it has ended. */
async function release(mesh: SampleMesh, spec: string): Promise<ReleaseStatus> {
  const file = join(mesh.sandbox.root, "release.yaml");
  writeFileSync(
    file,
    `
apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: to-green, namespace: sample-ns }
spec: { routes: [{ virtualService: sample-app }], to: green, ${spec} }
`,
  );
  const started = await mesh.sandbox.cli(["start", file, "--json"]);
  if (started.stdout === "") throw new Error(started.stderr);
  const ended = await mesh.sandbox.cli(["wait", "to-green", "--for", "done", "--timeout", "45s", "--json"]);
  if (ended.stdout === "") throw new Error(ended.stderr);
  return JSON.parse(ended.stdout);
}

type Moved = Extract<ReleaseEvent, { kind: "moved" }>;

function movesOf({ events }: ReleaseStatus): readonly Moved[] {
  return events.filter((event): event is Moved => event.kind === "moved");
}

test("what copies have shown is written down with what ends them, and no visitor meets them", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  await using load = await mesh.load();
  const mirror = "{mirror: {percent: 20, compare: {headers: [x-color]}}}";
  const status = await release(mesh, `strategy: {steps: [${mirror}, {hold: 2s}, {finish: {}}]}`);
  expect(status.phase).toBe("done");
  const reports = movesOf(status).flatMap(({ mirror: report }) => report ?? []);
  expect(reports).toHaveLength(1);
  const [report] = reports;
  // Half of the load has the testers' header and is sent to green by a rule of its own.
  expect(report?.compared).toBeGreaterThan(20);
  expect(report).toMatchObject({ same: 0, sentOnce: 0, timeouts: { live: 0, fresh: 0 }, unasked: 0 });
  expect(report?.different).toBe(report?.compared);
  expect(report?.examples[0]).toEqual({
    method: "GET",
    path: "/",
    liveStatus: 200,
    freshStatus: 200,
    differences: [{ kind: "header", name: "x-color" }],
  });
  const perSecond = report?.sizing.paths[0]?.averagePerSecond ?? 0;
  expect(perSecond).toBeGreaterThan(125);
  expect(perSecond).toBeLessThan(375);
  await expectNothingLost(load);
});

test("a check takes a version back whose answers differ, before anybody was sent to it", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  await using load = await mesh.load();
  const mirror = "{mirror: {percent: 50, compare: {headers: [x-color]}}}";
  const check = "{check: {duration: 20s, differences: {max: 1}}}";
  const status = await release(mesh, `strategy: {steps: [${mirror}, ${check}, {switch: {}}]}`);
  expect(status).toMatchObject({ phase: "rolledBack", message: expect.stringContaining("copied requests differed") });
  expect(movesOf(status).filter(({ mirror: report }) => report !== undefined)).toHaveLength(1);
  expect(await mesh.seen()).toEqual(new Set(["blue"]));
  await expectNothingLost(load);
});

test("probes ask every host and path of the rules while weights move, and are no visitors", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const status = await release(
    mesh,
    "strategy: {steps: [{weight: 50}, {switch: {}}]}, probes: {perSecond: 50}, maxFailed: 0",
  );
  expect(status.phase).toBe("done");
  const moves = movesOf(status);
  expect(moves).toHaveLength(2);
  for (const { probes, failed } of moves) {
    expect(probes?.sent).toBeGreaterThan(5);
    expect(probes).toEqual({ sent: probes?.ok, ok: probes?.sent, failed: 0, unsent: 0, failures: [] });
    expect(failed).toBe(0);
  }
  const history = await mesh.history();
  expect(history.flatMap(({ ledger }) => ledger?.requests ?? [])).toEqual([0, 0]);
});

test("a probe that fails takes a release back that lets none fail", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const probes = "probes: {perSecond: 50, requests: [{host: sample.hoge.com, path: '/status?code=503'}]}";
  const status = await release(mesh, `strategy: {steps: [{weight: 50}, {hold: 1h}]}, ${probes}, maxFailed: 0`);
  expect(status).toMatchObject({ phase: "rolledBack", message: expect.stringContaining("requests failed") });
  const [first] = movesOf(status);
  expect(first?.probes).toMatchObject({ ok: 0, failures: ["GET sample.hoge.com/status?code=503: answered 503"] });
  expect(first?.probes?.sent).toBeGreaterThan(0);
  // The ledger of visitors has left them out, so that each counts once.
  expect(first?.failed).toBe(first?.probes?.failed);
});
