import { describe, expect, test } from "vitest";
import { drawsOf, logSeed } from "./draws.ts";
import { ReleaseLife } from "./release-life.ts";
import { startLoad } from "../load/start-load.ts";
import { expectNothingLost } from "./sample-mesh.ts";
import { crashPoints, triesEveryCrash } from "./rounds.ts";

const match = "match: [{headers: {x-staff: {exact: '1'}}}]";

const strategies = [
  ["cohorts", `{cohorts: {cohorts: [{name: staff, ${match}}, {name: few, weight: 20}], hold: 100ms}}`],
  ["mirrorFirst", "{mirrorFirst: {mirror: {}, weights: [20], hold: 100ms}}"],
  ["blueGreen", `{blueGreen: {preview: {${match}}, hold: 100ms, bake: 100ms}}`],
  ["canary", "{canary: {weights: [10], hold: 100ms}}"],
  ["abTest", `{abTest: {preview: {${match}}, hold: 100ms}}`],
  ["steps", "{steps: [{weight: 30}, {hold: 100ms}, {switch: {}}]}"],
] as const;

/** Right before and right after each write, in an order that the seed draws. */
function pointsOf(writes: number): readonly string[] {
  const draw = drawsOf(logSeed() + writes);
  const all = Array.from({ length: writes }, (_, index) => index + 1).flatMap((write) => [
    { place: draw(), point: `${write}:before` },
    { place: draw(), point: `${write}:after` },
  ]);
  return all.toSorted((one, other) => one.place - other.place).map(({ point }) => point);
}

// They wait for proofs and processes most of the time.
describe.concurrent("a process that dies at a write of the journal", () => {
  test.each(triesEveryCrash ? strategies : strategies.slice(0, 2))(
    "leaves a release with %s to the next, which ends it, takes it back and again as if nothing had been",
    { timeout: 1_500_000 },
    async (strategy, text) => {
      await using life = await ReleaseLife.create(text);
      await using load = await startLoad({
        address: `127.0.0.1:${life.mesh.port}`,
        requests: [{ host: "sample.hoge.com" }],
        requestsPerSecond: 50,
        newConnectionShare: 0.05,
        durationMs: 1_500_000,
      });
      const writes = await life.rehearse();
      expect(writes).toBeGreaterThan(15);
      for (const point of crashPoints(pointsOf(writes))) {
        await life.dieAt(point).catch((error: unknown) => {
          throw new Error(`${strategy} ${point}`, { cause: error });
        });
      }
      await expectNothingLost(load);
    },
  );
});
