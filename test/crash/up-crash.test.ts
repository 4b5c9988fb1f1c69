import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { RunningUp } from "../e2e/product.ts";
import { expectNothingLost, SampleMesh } from "./sample-mesh.ts";

const program = fileURLToPath(new URL("up-process.ts", import.meta.url));

async function startCrashing(mesh: SampleMesh, point: string): Promise<RunningUp> {
  const up = mesh.sandbox.start([program, mesh.sandbox.manifests, `80=${mesh.port}`, point]);
  await up.ready;
  return up;
}

/** A switch is the journal's writes 1 and 2, a rollback after it 3 and 4. */
const points = [
  ["switch", "1:before", { live: "blue", outcomes: [] }],
  ["switch", "1:after", { live: "blue", outcomes: ["switch restored", "recovery restored"] }],
  ["switch", "2:before", { live: "green", outcomes: ["switch unproved", "recovery unproved"] }],
  ["switch", "2:after", { live: "green", outcomes: ["switch done"] }],
  ["rollback", "3:before", { live: "green", outcomes: ["switch done"] }],
  ["rollback", "3:after", { live: "green", outcomes: ["switch done", "rollback restored", "recovery restored"] }],
  ["rollback", "4:before", { live: "blue", outcomes: ["switch done", "rollback unproved", "recovery unproved"] }],
  ["rollback", "4:after", { live: "blue", outcomes: ["switch done", "rollback done"] }],
] as const;

describe("up that dies at a write of the journal", () => {
  test.each(points)(
    "in a %s at write %s leaves traffic whole, and the next up ends it",
    async (verb, point, expected) => {
      await using mesh = await SampleMesh.create();
      const up = await startCrashing(mesh, point);
      const envoyPid = await mesh.envoyPid();
      await using load = await mesh.load();
      const first = await mesh.move("switch", "--to", "green");
      if (verb === "rollback") {
        expect(first, first.stderr).toMatchObject({ exitCode: 0 });
        expect(await mesh.move("rollback")).toMatchObject({ exitCode: 3 });
      } else {
        expect(first).toMatchObject({ exitCode: 3 });
      }
      await up.exited;
      await mesh.sandbox.up({ args: mesh.args });
      expect(await mesh.envoyPid()).toBe(envoyPid);
      expect(await mesh.expectWorldToEqualJournal()).toBe(expected.live);
      expect((await mesh.history()).map((entry) => `${entry.verb} ${entry.outcome}`)).toEqual(expected.outcomes);
      const other = expected.live === "blue" ? "green" : "blue";
      expect(await mesh.move("switch", "--to", other)).toMatchObject({ exitCode: 0 });
      expect(await mesh.expectWorldToEqualJournal()).toBe(other);
      await expectNothingLost(load);
    },
  );

  test.each(["1:before", "1:after"])(
    "dies again while it recovers, at write %s, and the third one ends it",
    async (point) => {
      await using mesh = await SampleMesh.create();
      const up = await startCrashing(mesh, "2:before");
      await using load = await mesh.load();
      await mesh.move("switch", "--to", "green");
      await up.exited;
      const second = mesh.sandbox.start([program, mesh.sandbox.manifests, `80=${mesh.port}`, point]);
      await second.exited;
      await mesh.sandbox.up({ args: mesh.args });
      expect(await mesh.expectWorldToEqualJournal()).toBe("green");
      await expectNothingLost(load);
    },
  );
});

test("kill -9 at random moments of a switch never leaves it half done", { timeout: 200_000 }, async () => {
  const seed = Number(process.env["KIRIKAE_SEED"] ?? Date.now() % 1_000_000);
  console.log(`KIRIKAE_SEED=${seed}`);
  const draw = drawsOf(seed);
  await using mesh = await SampleMesh.create();
  let up = await mesh.sandbox.up({ args: mesh.args });
  const envoyPid = await mesh.envoyPid();
  await using load = await mesh.load();
  let live = "blue";
  for (let round = 0; round < 10; round += 1) {
    const to = live === "blue" ? "green" : "blue";
    const moving = mesh.move("switch", "--to", to);
    // The command needs a moment until its request arrives.
    await until(() => up.lines.some(({ event }) => event === "move"));
    await delay(draw() * 600);
    await up.kill();
    const { exitCode } = await moving;
    up = await mesh.sandbox.up({ args: mesh.args });
    live = await mesh.expectWorldToEqualJournal();
    if (exitCode === 0) expect(live).toBe(to);
    expect(await mesh.envoyPid()).toBe(envoyPid);
  }
  await expectNothingLost(load);
});

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error("waited 20 s in vain");
    await delay(1);
  }
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function drawsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
