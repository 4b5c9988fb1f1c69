import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { eventually, type RunningUp } from "../e2e/product.ts";
import { ReleasedSample } from "../e2e/released-sample.ts";
import { drawsOf, logSeed } from "./draws.ts";
import { rounds } from "./rounds.ts";
import { expectNothingLost, type SampleMesh } from "./sample-mesh.ts";

const program = fileURLToPath(new URL("up-process.ts", import.meta.url));

async function startCrashing(mesh: SampleMesh, point: string): Promise<RunningUp> {
  const up = mesh.sandbox.start([program, mesh.sandbox.manifests, `80=${mesh.port}`, point]);
  await up.ready;
  return up;
}

const match = "match: [{headers: {x-staff: {exact: '1'}}}]";

/** Each with how often it writes to its journal at least, from its record to its end. */
const presets = [
  ["blueGreen", `{blueGreen: {preview: {${match}}, hold: 100ms, bake: 100ms}}`, 8],
  ["canary", "{canary: {weights: [10], hold: 100ms}}", 8],
  ["abTest", `{abTest: {preview: {${match}}, hold: 100ms}}`, 7],
  ["mirrorFirst", "{mirrorFirst: {mirror: {}, weights: [20], hold: 100ms}}", 11],
  ["cohorts", `{cohorts: {cohorts: [{name: staff, ${match}}, {name: few, weight: 20}], hold: 100ms}}`, 11],
] as const;

test.each(presets)(
  "a release with %s whose process dies at a write of the journal is ended by the next, and taken back without a trace",
  { timeout: 600_000 },
  async (_preset, strategy, writes) => {
    const draw = drawsOf(logSeed() + writes);
    const all = Array.from({ length: 2 * writes }, (_, index) => {
      return [draw(), `${(index >> 1) + 1}:${index % 2 === 0 ? "before" : "after"}`] as const;
    });
    const drawn = all.toSorted(([left], [right]) => left - right).map(([, point]) => point);
    const points = drawn.slice(0, rounds({ test: 1, soak: drawn.length }));
    for (const point of points) await crashAt(strategy, point);
    expect(points.length).toBeGreaterThan(0);
  },
);

async function crashAt(strategy: string, point: string): Promise<void> {
  await using released = await ReleasedSample.create({ start: (mesh) => startCrashing(mesh, point) });
  const { mesh, up } = released;
  const before = await released.routes();
  await using load = await mesh.load();
  await released.start(strategy).catch(() => undefined);
  // A point behind the last write is none, and then nobody dies.
  await Promise.race([up.exited, released.wait("done").catch(() => up.exited)]);
  await released.restart();
  const known = await released.list();
  if (known.length === 0) await released.start(strategy);
  const ended = await released.wait("done");
  expect(ended, `${point}: ${ended.message}`).toMatchObject({ phase: "done" });
  expect(await mesh.expectWorldToEqualJournal(), point).toBe("green");
  const after = JSON.stringify(await released.routes());
  expect(after).not.toMatch(/copies\||preview:|use_hash_policy/u);
  await released.tell("rollback", "to-green", "--release");
  expect(await released.wait("done"), point).toMatchObject({ phase: "rolledBack" });
  expect(await mesh.expectWorldToEqualJournal(), point).toBe("blue");
  await eventually("routes as they were", async () => {
    return isDeepStrictEqual(await released.routes(), before) ? true : undefined;
  });
  await expectNothingLost(load);
}
