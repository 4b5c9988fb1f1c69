import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { MoveResult } from "../../src/api/types.ts";
import type { CliResult } from "../e2e/product.ts";
import { drawsOf, logSeed } from "./draws.ts";
import { rounds } from "./rounds.ts";
import { SampleMesh } from "./sample-mesh.ts";
import { until } from "./until.ts";

function resultOf({ stdout, stderr }: CliResult): MoveResult {
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

/** What is wrong with an answer: 0 is for what was proved, 1 has to say why, and anything else is out of place. */
function faultOf(result: CliResult): string | undefined {
  if (result.exitCode === 1) return /"message": "./u.test(result.stdout) ? undefined : "it does not say why";
  if (result.exitCode !== 0) return `the exit status is ${result.exitCode}`;
  const { ok, outcome, ledger } = resultOf(result);
  const isProved = ok && outcome === "done" && ledger?.isComplete === true && ledger.failed === 0;
  return isProved ? undefined : "it claims what is not proved";
}

test("Envoy that is killed during a switch comes back with what the journal says", { timeout: 200_000 }, async () => {
  const draw = drawsOf(logSeed());
  await using mesh = await SampleMesh.create();
  const up = await mesh.sandbox.up({ args: mesh.args });
  await using load = await mesh.load();
  for (let round = 0; round < rounds({ test: 3, soak: 12 }); round += 1) {
    const live = await mesh.expectWorldToEqualJournal();
    const to = live === "blue" ? "green" : "blue";
    const pid = await mesh.envoyPid();
    const before = up.lines.length;
    const moving = mesh.move("switch", "--to", to);
    if (round > 0) await until("the move", () => up.lines.slice(before).some(({ event }) => event === "move"));
    await delay(round === 0 ? 0 : draw() * 700);
    process.kill(pid, "SIGKILL");
    const result = await moving;
    expect(faultOf(result)).toBeUndefined();
    console.log(`round ${round}: ${result.exitCode} ${/"(?:message|code)": ".*/u.exec(result.stdout)?.[0] ?? ""}`);
    await mesh.whenServing(pid);
    await mesh.expectWorldToEqualJournal();
  }
  const last = (await mesh.expectWorldToEqualJournal()) === "blue" ? "green" : "blue";
  expect(await mesh.move("switch", "--to", last)).toMatchObject({ exitCode: 0 });
  await load.stop();
});

test("Envoy that is killed during a shift comes back with the shares of the journal", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const pid = await mesh.envoyPid();
  const moving = mesh.move("shift", "--to", "green=30");
  await delay(700);
  process.kill(pid, "SIGKILL");
  expect(faultOf(await moving)).toBeUndefined();
  await mesh.whenServing(pid);
  const [service] = (await mesh.status()).services;
  const green = service?.rules.find(({ role }) => role === "public")?.weights["green"] ?? 0;
  expect([0, 30]).toContain(green);
  const answers = await Promise.all(Array.from({ length: 400 }, () => mesh.ask()));
  const share = (answers.filter((color) => color === "green").length * 100) / answers.length;
  expect(Math.abs(share - green)).toBeLessThan(12);
  expect(await mesh.seen({ "x-version": "green" })).toEqual(new Set(["green"]));
});

test("Envoy that stands still fails the switch in bounded time, and goes on with the journal's word", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const pid = await mesh.envoyPid();
  process.kill(pid, "SIGSTOP");
  const startedMs = performance.now();
  const result = await mesh.move("switch", "--to", "green");
  const tookMs = performance.now() - startedMs;
  console.log(`stopped before: ${Math.round(tookMs)} ms, ${result.stdout.length} bytes, ${resultOf(result).outcome}`);
  expect(result.exitCode).toBe(1);
  expect(tookMs).toBeLessThan(45_000);
  expect(result.stdout).toContain("kirikae-gateway");
  process.kill(pid, "SIGCONT");
  await mesh.whenServing(undefined);
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  expect(await mesh.move("switch", "--to", "green")).toMatchObject({ exitCode: 0 });
  expect(await mesh.expectWorldToEqualJournal()).toBe("green");
  expect(await mesh.move("rollback")).toMatchObject({ exitCode: 0 });
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
}, 120_000);

test("Envoy that stops in the middle of a switch", { timeout: 300_000 }, async () => {
  const draw = drawsOf(logSeed());
  await using mesh = await SampleMesh.create();
  const up = await mesh.sandbox.up({ args: mesh.args });
  for (let round = 0; round < rounds({ test: 1, soak: 6 }); round += 1) {
    const live = await mesh.expectWorldToEqualJournal();
    const pid = await mesh.envoyPid();
    const before = up.lines.length;
    const moving = mesh.move("switch", "--to", live === "blue" ? "green" : "blue");
    await until("the move", () => up.lines.slice(before).some(({ event }) => event === "move"));
    await delay(draw() * 25);
    process.kill(pid, "SIGSTOP");
    const result = await moving;
    console.log(`stopped in: ${result.exitCode} ${resultOf(result).outcome}: ${resultOf(result).message}`);
    expect(faultOf(result)).toBeUndefined();
    process.kill(pid, "SIGCONT");
    await mesh.whenServing(undefined);
    const now = await mesh.expectWorldToEqualJournal();
    expect(await mesh.move("switch", "--to", now === "blue" ? "green" : "blue")).toMatchObject({ exitCode: 0 });
  }
});
