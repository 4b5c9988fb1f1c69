import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { expectNothingLost, SampleMesh } from "../crash/sample-mesh.ts";
import { bin, eventually, freePort, type RunningUp } from "./product.ts";
import { observeProcess } from "../../src/local/process-identity.ts";

/** Starts `up`, which is to fail, and returns how. */
async function fail(
  mesh: SampleMesh,
  options: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  const args = options.args ?? mesh.args;
  const up = mesh.sandbox.start([bin, "up", mesh.sandbox.manifests, "--json", ...args], options.env);
  const exitCode = await up.exited;
  return { exitCode, stderr: up.stderr };
}

async function occupy(): Promise<Server & { readonly port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return Object.assign(server, { port: address.port });
}

function pidsOf(status: Awaited<ReturnType<SampleMesh["status"]>>): readonly (number | undefined)[] {
  return [...status.proxies, ...status.workloads.flatMap(({ replicas }) => replicas)].map(({ pid }) => pid);
}

/** A zombie, which only waits for somebody to ask how it ended, is none. */
function isAlive(pid: number): boolean {
  return observeProcess(pid) !== undefined;
}

test("a second up on the same state folder says who holds it, and the first runs on", async () => {
  await using mesh = await SampleMesh.create();
  const first = await mesh.sandbox.up({ args: mesh.args });
  const second = await fail(mesh, { args: ["--gateway-port", `80=${await freePort()}`] });
  expect(second.exitCode).toBe(3);
  expect(second.stderr).toContain(String(first.pid));
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
});

test("two with different folders run side by side and do not meet", async () => {
  await using one = await SampleMesh.create();
  await using two = await SampleMesh.create();
  await one.sandbox.up({ args: one.args });
  await two.sandbox.up({ args: two.args });
  expect(await one.move("switch", "--to", "green")).toMatchObject({ exitCode: 0 });
  expect(await one.expectWorldToEqualJournal()).toBe("green");
  expect(await two.expectWorldToEqualJournal()).toBe("blue");
});

test("a gateway port of somebody else ends the start with what to do, and nothing is left", async () => {
  await using mesh = await SampleMesh.create();
  const other = await occupy();
  const failed = await fail(mesh, { args: ["--gateway-port", `80=${other.port}`] });
  other.close();
  expect(failed.exitCode).toBe(3);
  expect(failed.stderr).toContain(`Port ${other.port}`);
  expect(failed.stderr).toContain("--gateway-port");
  expect(failed.stderr).toContain(String(process.pid));
});

test("no failing start disturbs an Envoy and workloads that serve on from before", { timeout: 120_000 }, async () => {
  await using mesh = await SampleMesh.create();
  const first = await mesh.sandbox.up({ args: mesh.args });
  expect(await mesh.move("switch", "--to", "green")).toMatchObject({ exitCode: 0 });
  const pids = pidsOf(await mesh.status());
  await using load = await mesh.load();
  await first.kill();

  const other = await occupy();
  const portTaken = await fail(mesh, { args: [...mesh.args, "--port", String(other.port)] });
  other.close();
  expect(portTaken.exitCode).toBe(3);
  expect(portTaken.stderr).toContain("--port");

  const manifest = join(mesh.sandbox.manifests, "mesh.yaml");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace("subset: green", "subsets: green"));
  const broken = await fail(mesh);
  expect(broken.exitCode).toBe(2);
  expect(broken.stderr).toMatch(/mesh\.yaml:\d+:\d+/u);
  writeFileSync(manifest, text);

  const noEnvoy = await fail(mesh, { args: [...mesh.args, "--envoy", join(mesh.sandbox.root, "envoy")] });
  expect(noEnvoy.exitCode).toBe(3);
  expect(noEnvoy.stderr).toContain("--envoy");

  const journal = join(mesh.sandbox.state, "journal.sqlite");
  // The write-ahead log belongs to it: from that alone SQLite would bring back all that was lost.
  const parts = [journal, `${journal}-wal`, `${journal}-shm`].filter((path) => existsSync(path));
  for (const path of parts) renameSync(path, `${path}.kept`);
  writeFileSync(journal, "this is no database, although it is long enough to be read as one".repeat(100));
  const corrupt = await fail(mesh);
  expect(corrupt.exitCode).toBe(3);
  expect(corrupt.stderr).toContain(journal);
  for (const path of parts) renameSync(`${path}.kept`, path);

  await mesh.sandbox.up({ args: mesh.args });
  expect(pidsOf(await mesh.status())).toEqual(pids);
  expect(await mesh.expectWorldToEqualJournal()).toBe("green");
  await expectNothingLost(load);
});

test("Ctrl-C while it starts stops what was started", async () => {
  await using mesh = await SampleMesh.create();
  for (const [index, seen] of ["starting workloads", "envoy started"].entries()) {
    const up = mesh.sandbox.start([bin, "up", mesh.sandbox.manifests, "--json", ...mesh.args]);
    up.ready.catch(() => undefined);
    await eventually(seen, async () => (up.stderr.includes(seen) ? true : undefined), 20_000);
    if (index === 0) await delay(100);
    const started = launched(mesh);
    expect(await up.stop()).toBe(130);
    expect(started.length).toBeGreaterThan(0);
    expect(started.filter(isAlive)).toEqual([]);
    expect(launched(mesh)).toEqual([]);
  }
});

test("Ctrl-C while it adopts leaves what it found", async () => {
  await using mesh = await SampleMesh.create();
  const first = await mesh.sandbox.up({ args: mesh.args });
  const pids = pidsOf(await mesh.status());
  await using load = await mesh.load();
  await first.kill();
  const up = mesh.sandbox.start([bin, "up", mesh.sandbox.manifests, "--json", ...mesh.args]);
  await eventually("progress", async () => (up.stderr.includes("starting workloads") ? true : undefined));
  await up.stop();
  await mesh.sandbox.up({ args: mesh.args });
  expect(pidsOf(await mesh.status())).toEqual(pids);
  await expectNothingLost(load);
});

test("the two signals of GNU timeout are one request to stop", async () => {
  await using mesh = await SampleMesh.create();
  const argv = ["-s", "TERM", "4", process.execPath, bin, "up", mesh.sandbox.manifests, ...mesh.args];
  const child = spawn("timeout", argv, { env: mesh.sandbox.environment, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, "close");
  expect(stderr).toContain("SIGTERM: stopping");
  expect(launched(mesh)).toEqual([]);
});

test("two signals in quick succession stop everything", async () => {
  await using mesh = await SampleMesh.create();
  const up = await mesh.sandbox.up({ args: mesh.args });
  const started = launched(mesh);
  twice(up);
  expect(await up.exited).toBe(0);
  expect(started.filter(isAlive)).toEqual([]);
});

function twice(up: RunningUp): void {
  process.kill(up.pid, "SIGTERM");
  process.kill(up.pid, "SIGINT");
}

/** The pids that are written down as started. */
function launched(mesh: SampleMesh): readonly number[] {
  const file: { readonly launches: readonly { readonly process: { readonly pid: number } | null }[] } = JSON.parse(
    readFileSync(join(mesh.sandbox.state, "processes.json"), "utf8"),
  );
  return file.launches.flatMap(({ process: found }) => (found === null ? [] : [found.pid]));
}
