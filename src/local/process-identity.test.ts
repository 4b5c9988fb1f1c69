import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  findLaunched,
  isAlive,
  isRunning,
  launchVariable,
  observeProcess,
  stopProcess,
  type StopOptions,
} from "./process-identity.ts";

/** A Node that runs `script` in a group of its own; the test kills what is left of it. */
function startNode(script: string, launchId: string = randomUUID()): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ["-e", script], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, [launchVariable]: launchId },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("no pid");
  onTestFinished(() => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It ended in the test.
    }
  });
  return Object.assign(child, { pid });
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout ?? []) return String(chunk).trim();
  throw new Error("no output");
}

const idle = "setInterval(() => {}, 1000); console.log('up')";

describe("identity", () => {
  it("is the same at every look and gone with the process, reaped or not", async () => {
    const child = startNode(idle);
    await firstLine(child);
    const seen = observeProcess(child.pid);
    if (seen === undefined) throw new Error("not seen");
    expect(observeProcess(child.pid)).toEqual(seen);
    expect(isRunning(seen)).toBe(true);
    expect(isRunning({ ...seen, startedAt: "another" })).toBe(false);
    child.kill("SIGKILL");
    await expect.poll(() => isRunning(seen)).toBe(false);
  });

  it("does not count a zombie as running", async () => {
    // `sleep 0` ends at once, and its parent, which has become another program, never reaps it.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 30"], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void parent.kill("SIGKILL"));
    const zombie = Number(await firstLine(parent));
    await expect.poll(() => observeProcess(zombie)).toBeUndefined();
    expect(() => process.kill(zombie, 0)).not.toThrow();
  });
});

describe("finding by launch id", () => {
  it("finds the leader and not what it started", async () => {
    const id = randomUUID();
    const child = startNode(
      `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(idle)}], { stdio: "inherit" })`,
      id,
    );
    await firstLine(child);
    expect(findLaunched(id)?.pid).toBe(child.pid);
    expect(findLaunched(randomUUID())).toBeUndefined();
  });
});

function options(launchId: string): StopOptions {
  return { scope: "group", launchId, graceMs: 200 };
}

describe("stopping", () => {
  it("asks first and kills what does not listen", async () => {
    const polite = startNode(`process.on("SIGTERM", () => process.exit(7)); ${idle}`);
    const deaf = startNode(`process.on("SIGTERM", () => {}); ${idle}`);
    await Promise.all([firstLine(polite), firstLine(deaf)]);
    const ends = [polite, deaf].map((child) => new Promise((end) => child.once("exit", (...how) => end(how))));
    for (const child of [polite, deaf]) {
      const identity = observeProcess(child.pid);
      if (identity === undefined) throw new Error("not seen");
      expect(await stopProcess(identity, options("any"))).toBe(true);
    }
    expect(await Promise.all(ends)).toEqual([
      [7, null],
      [null, "SIGKILL"],
    ]);
  });

  it("sends nothing to a process whose start time differs", async () => {
    const child = startNode(`process.on("SIGTERM", () => process.exit(7)); ${idle}`);
    await firstLine(child);
    expect(await stopProcess({ pid: child.pid, startedAt: "earlier" }, options("any"))).toBe(true);
    expect(observeProcess(child.pid)).toBeDefined();
    expect(child.exitCode).toBeNull();
  });

  it("ends those that the leader left behind, by their launch id", async () => {
    const id = randomUUID();
    const leader = startNode(
      `const { spawn } = require("child_process");
       const child = spawn(process.execPath, ["-e", ${JSON.stringify(idle)}], { stdio: ["ignore", "pipe", "ignore"] });
       child.stdout.once("data", () => console.log(child.pid));`,
      id,
    );
    const orphan = Number(await firstLine(leader));
    const identity = observeProcess(leader.pid);
    if (identity === undefined) throw new Error("not seen");
    leader.kill("SIGKILL");
    await expect.poll(() => isRunning(identity)).toBe(false);
    expect(observeProcess(orphan)).toBeDefined();
    expect(isAlive(identity, { scope: "group", launchId: id })).toBe(true);
    expect(await stopProcess(identity, options(randomUUID()))).toBe(true);
    expect(observeProcess(orphan)).toBeDefined();
    expect(await stopProcess(identity, options(id))).toBe(true);
    expect(observeProcess(orphan)).toBeUndefined();
  });
});
