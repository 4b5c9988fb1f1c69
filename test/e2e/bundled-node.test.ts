import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const bin = fileURLToPath(new URL("../../bin/kirikae.js", import.meta.url));
const example = fileURLToPath(new URL("../../examples/instant-switch", import.meta.url));
const oldNode = findOldNode();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kirikae-old-node-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A Node on PATH that cannot run kirikae itself. */
function findOldNode(): string | undefined {
  const places = (process.env["PATH"] ?? "").split(delimiter).map((place) => join(place, "node"));
  return [...places, "/usr/bin/node"].find((path) => {
    const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
    const [, major] = /^v(\d+)\./u.exec(stdout ?? "") ?? [];
    return major !== undefined && Number(major) >= 18 && Number(major) < 24;
  });
}

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function start(...args: readonly string[]): Started {
  const env = { ...process.env, KIRIKAE_STATE: join(folder, "state"), NO_COLOR: "1" };
  const child = spawn(oldNode ?? "", [bin, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text, ended: new Promise((resolve) => child.once("close", resolve)) };
}

describe.skipIf(oldNode === undefined)("on an old Node, the bundled one", () => {
  test("passes answers and exit statuses through", async () => {
    const help = start("--help");
    expect(await help.ended).toBe(0);
    expect(help.output()).toContain("Usage: kirikae");
    expect(await start("check", join(folder, "missing")).ended).toBe(2);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s stops up once, and its end is waited for", async (signal) => {
    const port = 30_000 + (process.pid % 10_000);
    const up = start("up", example, "--json", "--gateway-port", `80=${port}`);
    await expect.poll(up.output, { timeout: 30_000 }).toContain('"event":"ready"');
    const { pid } = JSON.parse(await readFile(join(folder, "state", "api.json"), "utf8"));
    expect(pid).not.toBe(up.child.pid);
    up.child.kill(signal);
    expect(await up.ended).toBe(0);
    expect(up.output().split("stopping what was started").length).toBe(2);
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});
