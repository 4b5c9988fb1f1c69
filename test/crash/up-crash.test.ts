import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { RunningUp } from "../e2e/product.ts";
import { drawsOf, logSeed } from "./draws.ts";
import { expectNothingLost, SampleMesh } from "./sample-mesh.ts";
import { until } from "./until.ts";
import { rounds, triesEveryCrash } from "./rounds.ts";

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

/** `npm test` takes those at which a move is half done; `npm run soak:crashes`, and so `.ci/run`, takes all. */
const halfDone: ReadonlySet<string> = new Set(["1:after", "2:before", "3:after", "4:before"]);

describe("up that dies at a write of the journal", () => {
  test.each(points.filter(([, point]) => triesEveryCrash || halfDone.has(point)))(
    "in a %s at write %s leaves traffic whole, and the next up ends it",
    async (verb, point, expected) => {
      await using mesh = await SampleMesh.create();
      const up = await startCrashing(mesh, point);
      const envoyPid = await mesh.envoyPid();
      await using load = await mesh.load();
      const exitCodes = [(await mesh.move("switch", "--to", "green")).exitCode];
      if (verb === "rollback") exitCodes.push((await mesh.move("rollback")).exitCode);
      expect(exitCodes).toEqual(verb === "rollback" ? [0, 3] : [3]);
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

  test.each(triesEveryCrash ? ["1:before", "1:after"] : ["1:after"])(
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
  const draw = drawsOf(logSeed());
  await using mesh = await SampleMesh.create();
  let up = await mesh.sandbox.up({ args: mesh.args });
  const envoyPid = await mesh.envoyPid();
  await using load = await mesh.load();
  let live = "blue";
  for (let round = 0; round < rounds({ test: 4, soak: 30 }); round += 1) {
    const other = live;
    const to = other === "blue" ? "green" : "blue";
    const moving = mesh.move("switch", "--to", to);
    // The command needs a moment until its request arrives.
    await until("the move", () => up.lines.some(({ event }) => event === "move"));
    await delay(draw() * 600);
    await up.kill();
    const { exitCode } = await moving;
    up = await mesh.sandbox.up({ args: mesh.args });
    live = await mesh.expectWorldToEqualJournal();
    expect([to, exitCode === 0 ? to : other]).toContain(live);
    expect(await mesh.envoyPid()).toBe(envoyPid);
  }
  await expectNothingLost(load);
});
