import { array, assert, asyncProperty } from "fast-check";
import { expect, test } from "vitest";
import { logSeed } from "./crash/draws.ts";
import { ReleaseWorld } from "./model/release-world.ts";
import { happen, worldEvent } from "./model/world-event.ts";

/** `.ci/run` asks for many more. */
const sequences = Number(process.env["KIRIKAE_MODEL_SEQUENCES"] ?? 2_000);

test(
  `whatever happens in ${sequences} sequences of events, weights are whole and every release comes to an end or a wait`,
  { timeout: 60_000 + sequences * 8 },
  async () => {
    await assert(
      asyncProperty(array(worldEvent, { minLength: 1, maxLength: 25 }), async (events) => {
        const world = new ReleaseWorld();
        for (const event of events) {
          await happen(world, event);
          world.check();
        }
        await world.heal();
        world.check();
        world.checkEnd();
        await world.takeBack();
        world.check();
        world.checkEnd();
        expect(world.broken).toEqual([]);
      }),
      { numRuns: sequences, seed: logSeed(), endOnFailure: false },
    );
  },
);
