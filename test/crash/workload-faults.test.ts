import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { eventually, type RunningUp } from "../e2e/product.ts";
import { faultyApp } from "./faulty-app.ts";
import { SampleMesh } from "./sample-mesh.ts";
import { triesEveryCrash } from "./rounds.ts";

type Fault = "exit" | "error" | "all-errors" | "silent";

async function createFaulty(): Promise<SampleMesh> {
  const mesh = await SampleMesh.create();
  mesh.sandbox.write("server.js", faultyApp);
  return mesh;
}

function spoil(mesh: SampleMesh, color: "blue" | "green", fault: Fault): void {
  mesh.sandbox.write(`fault-${color}`, fault);
}

async function kill(mesh: SampleMesh, workload: string): Promise<void> {
  for (const pid of await mesh.replicaPids(workload)) process.kill(pid, "SIGKILL");
}

/** Nothing changed for anybody, it is said so, and it did not take long. */
async function expectRefusal(mesh: SampleMesh): Promise<void> {
  const startedMs = performance.now();
  const { exitCode, stdout } = await mesh.move("switch", "--to", "green");
  expect(exitCode).toBe(1);
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, outcome: "refused", message: expect.stringMatching(/./u) });
  expect((await mesh.history()).at(-1)).toMatchObject({ verb: "switch", outcome: "refused" });
  expect(await mesh.seen()).toEqual(new Set(["blue"]));
  const [service] = (await mesh.status()).services;
  expect(service).toMatchObject({ live: "blue", isMoved: false });
}

describe("a switch to a version that", () => {
  test("has just died and does not start again is refused, and goes when it is back", async () => {
    await using mesh = await createFaulty();
    await mesh.sandbox.up({ args: mesh.args });
    spoil(mesh, "green", "exit");
    await kill(mesh, "nginx-green");
    await expectRefusal(mesh);
    rmSync(join(mesh.sandbox.manifests, "fault-green"));
    await eventually("a switch to green, which is back", async () => {
      const { exitCode } = await mesh.move("switch", "--to", "green");
      return exitCode === 0 ? true : undefined;
    });
    expect(await mesh.expectWorldToEqualJournal()).toBe("green");
  });

  test.each(["error", "all-errors", "silent"] as const)("has the fault %s is refused", async (fault) => {
    await using mesh = await createFaulty();
    await mesh.sandbox.up({ args: mesh.args });
    spoil(mesh, "green", fault);
    await expectRefusal(mesh);
    expect(await mesh.seen()).toEqual(new Set(["blue"]));
  });
});

test("the old version may die after the switch, and nobody notices", async () => {
  await using mesh = await createFaulty();
  await mesh.sandbox.up({ args: mesh.args });
  expect(await mesh.move("switch", "--to", "green")).toMatchObject({ exitCode: 0 });
  spoil(mesh, "blue", "exit");
  await kill(mesh, "nginx-blue");
  for (let round = 0; round < 10; round += 1) expect(await mesh.seen()).toEqual(new Set(["green"]));
  const [service] = (await mesh.status()).services;
  expect(service?.live).toBe("green");
});

async function startWith(mesh: SampleMesh, ...fault: readonly string[]): Promise<RunningUp> {
  const program = fileURLToPath(new URL("up-faulty.ts", import.meta.url));
  const up = mesh.sandbox.start([program, mesh.sandbox.manifests, `80=${mesh.port}`, ...fault]);
  await up.ready;
  return up;
}

// All of its time limits are waited for, which takes most of a minute: `npm run soak:crashes` does, and so does `.ci/run`.
test.runIf(triesEveryCrash)(
  "a move that is stuck because Envoy stood still does not keep later ones from going",
  async () => {
    await using mesh = await SampleMesh.create();
    await startWith(mesh, "stopEnvoy");
    const { exitCode, stdout } = await mesh.move("switch", "--to", "green");
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, outcome: "stuck" });
    process.kill(await mesh.envoyPid(), "SIGCONT");
    await mesh.whenServing(undefined);
    expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
    expect(await mesh.move("switch", "--to", "green")).toMatchObject({ exitCode: 0 });
    expect(await mesh.expectWorldToEqualJournal()).toBe("green");
    expect(await mesh.move("rollback")).toMatchObject({ exitCode: 0 });
    expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  },
  120_000,
);

test("a disk that is full in the middle of a switch keeps the service whole, and is over when it has room", async () => {
  await using mesh = await SampleMesh.create();
  const flag = join(mesh.sandbox.root, "disk-is-full");
  await startWith(mesh, "fullDisk", flag);
  writeFileSync(flag, "");
  expect((await mesh.move("switch", "--to", "green")).exitCode).toBe(3);
  const refused = await mesh.move("rollback");
  expect(refused).toMatchObject({ exitCode: 3 });
  expect(refused.stderr).toContain("KIR2024");
  expect(await mesh.seen()).toEqual(new Set(["green"]));
  rmSync(flag);
  expect(await mesh.move("rollback")).toMatchObject({ exitCode: 0 });
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  const told = (await mesh.history()).map(({ verb, outcome }) => `${verb} ${outcome}`);
  expect(told).toEqual(["switch unproved", "recovery unproved", "rollback done"]);
});
