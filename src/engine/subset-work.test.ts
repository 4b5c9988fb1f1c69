import { expect, test } from "vitest";
import { strategies } from "../../test/model/model-releases.ts";
import { ReleaseWorld } from "../../test/model/release-world.ts";

/** What a release has left when it was done, taken back, brought forward and taken back again. */
type Life = readonly { readonly phase: string; readonly subsets: unknown; readonly weights: unknown }[];

const strategy = strategies.findIndex((text) => text.includes("ADD and REMOVE"));

async function live(world: ReleaseWorld): Promise<Life> {
  const life: Life[number][] = [];
  for (let order = 0; order < 4; order += 1) {
    if (order === 0) await world.start(strategy, ["web", "api"]);
    else await world.command(0, { kind: "rollback" }, "ann");
    await world.clock.advance(20_000);
    if (world.isDead) {
      await world.crash();
      await world.clock.advance(20_000);
    }
    life.push({
      phase: world.releases[0]?.state.phase.kind ?? "none",
      subsets: (["web", "api"] as const).map((name) =>
        world.subsets.of(name).toSorted((one, other) => (one.name < other.name ? -1 : 1)),
      ),
      weights: world.target.weights(),
    });
    world.check();
    expect(world.broken).toEqual([]);
  }
  return life;
}

test(
  "whichever write of the journal is a process's last, subsets and weights come to the same",
  { timeout: 60_000 },
  async () => {
    const rehearsal = new ReleaseWorld();
    const expected = await live(rehearsal);
    expect(expected.map(({ phase }) => phase)).toEqual(["done", "rolledBack", "done", "rolledBack"]);
    const writes = rehearsal.journal.read().length;
    expect(writes).toBeGreaterThan(30);
    for (let count = 1; count <= writes; count += 1) {
      const world = new ReleaseWorld();
      world.dieAtWrite(count);
      expect({ count, life: await live(world) }).toEqual({ count, life: expected });
    }
  },
);
