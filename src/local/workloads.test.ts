import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import type { LocalCommand, LocalWorkloadSource } from "../core/manifest/local-workload.ts";
import type { LocalWorkloadManifest } from "../core/manifest/manifest.ts";
import { isRunning } from "./process-identity.ts";
import { ProcessRegistry } from "./process-registry.ts";
import { LocalWorkloads, type WorkloadEndpoint, type WorkloadEvent, type WorkloadsOptions } from "./workloads.ts";

/** Answers with its argument, and with what `/env` asks for; ends on SIGTERM. */
const app = `
const [answer, port] = process.argv.slice(1);
require("http").createServer((request, response) => {
  if (request.url === "/crash") process.exit(9);
  if (request.url === "/env") return response.end(JSON.stringify({ ...process.env, cwd: process.cwd(), node: process.version }));
  response.statusCode = request.url === "/broken" ? 500 : 200;
  response.end(answer);
}).listen(Number(port), "127.0.0.1");
`;

function commandOf(answer: string, overrides: Partial<LocalCommand> = {}): LocalWorkloadSource {
  return {
    kind: "command",
    command: ["node", "-e", app, answer, "$PORT"],
    workingDirectory: undefined,
    env: {},
    replicas: 1,
    readiness: { path: "/", intervalMs: 50, timeoutMs: 1_000 },
    ...overrides,
  };
}

function workload(name: string, source: LocalWorkloadSource, file = "mesh.yaml"): LocalWorkloadManifest {
  return {
    kind: "LocalWorkload",
    apiVersion: "kirikae.dev/v1alpha1",
    metadata: { name, namespace: "ns", labels: {}, annotations: {}, creationTimestamp: undefined },
    spec: { labels: {}, targetPort: undefined, source },
    at: { file, line: 1, column: 1 },
  };
}

function open(folder: string, overrides: Partial<WorkloadsOptions> = {}): LocalWorkloads {
  const registry = ProcessRegistry.open(join(folder, "processes.json"));
  return new LocalWorkloads({ registry, logFolder: folder, drainMs: 0, graceMs: 2_000, ...overrides });
}

async function ask(endpoint: WorkloadEndpoint | undefined, path = "/"): Promise<string> {
  return (await fetch(`http://127.0.0.1:${endpoint?.port}${path}`)).text();
}

describe("command workloads", () => {
  it("run once a replica, each on a port of its own, ready when the update returns", async () => {
    await using temp = await temporaryFolder();
    await using workloads = open(temp.path);
    expect(await workloads.update([workload("blue", commandOf("blue", { replicas: 3 }))])).toEqual([]);
    const endpoints = workloads.endpoints("ns/blue");
    expect(endpoints.map((endpoint) => endpoint.ready)).toEqual([true, true, true]);
    expect(new Set(endpoints.map((endpoint) => endpoint.port)).size).toBe(3);
    for (const endpoint of endpoints) expect(await ask(endpoint)).toBe("blue");
    expect(workloads.endpoints("ns/unknown")).toEqual([]);
    const [status] = workloads.status();
    expect(status).toMatchObject({ name: "ns/blue", replicas: [{ ready: true, restarts: 0 }, {}, {}] });
    expect(status?.replicas[0]?.address).toBe(`127.0.0.1:${endpoints[0]?.port}`);
  });

  it("get their port, their variables, a modern Node and the folder of their manifest", async () => {
    await using temp = await temporaryFolder();
    await mkdir(join(temp.path, "apps", "server"), { recursive: true });
    await using workloads = open(temp.path);
    const env = { COLOUR: "blue", URL: "http://localhost:${PORT}/", OTHER: "$PORTAL" };
    const source = commandOf("x", { env, workingDirectory: "server" });
    expect(await workloads.update([workload("app", source, join(temp.path, "apps", "mesh.yaml"))])).toEqual([]);
    const [endpoint] = workloads.endpoints("ns/app");
    expect(JSON.parse(await ask(endpoint, "/env"))).toMatchObject({
      COLOUR: "blue",
      URL: `http://localhost:${endpoint?.port}/`,
      OTHER: "$PORTAL",
      PORT: String(endpoint?.port),
      cwd: join(temp.path, "apps", "server"),
      node: process.version,
    });
  });

  it("come back on the same port after a crash, unready meanwhile", async () => {
    await using temp = await temporaryFolder();
    await using workloads = open(temp.path);
    await workloads.update([workload("app", commandOf("x"))]);
    const [before] = workloads.endpoints("ns/app");
    const seen: (boolean | undefined)[] = [];
    using _ = workloads.onChange((name) => seen.push(workloads.endpoints(name)[0]?.ready));
    await ask(before, "/crash").catch(() => "");
    await expect.poll(() => workloads.status()[0]?.replicas[0]).toMatchObject({ restarts: 1, ready: true });
    expect(workloads.endpoints("ns/app")).toEqual([before]);
    expect(seen).toContain(false);
    expect(seen.at(-1)).toBe(true);
  });

  it("get another port when somebody took theirs", async () => {
    await using temp = await temporaryFolder();
    await using workloads = open(temp.path);
    await workloads.update([workload("app", commandOf("x"))]);
    const [before] = workloads.endpoints("ns/app");
    const thief = createServer((_, response) => response.end("thief"));
    onTestFinished(() => void thief.close());
    // Asks again and again, so that it listens in the moment after the crash.
    const steal = (): void => void thief.listen(before?.port, "127.0.0.1");
    thief.on("error", () => setTimeout(steal, 1));
    steal();
    await ask(before, "/crash").catch(() => "");
    await expect
      .poll(() => workloads.endpoints("ns/app")[0]?.ready === true && workloads.status()[0]?.replicas[0]?.restarts, {
        timeout: 4_000,
      })
      .toBeGreaterThan(0);
    expect(await ask(before)).toBe("thief");
    expect(await ask(workloads.endpoints("ns/app")[0])).toBe("x");
  });

  it("say why they do not get ready", async () => {
    await using temp = await temporaryFolder();
    const events: WorkloadEvent[] = [];
    await using workloads = open(temp.path, { readyTimeoutMs: 700, onEvent: (event) => events.push(event) });
    const problems = await workloads.update([
      workload("absent", commandOf("", { command: ["no-such-program"] })),
      workload("crashes", commandOf("", { command: ["node", "-e", "console.error('no database'); process.exit(4)"] })),
      workload("broken", commandOf("", { readiness: { path: "/broken", intervalMs: 50, timeoutMs: 100 } })),
      workload("nowhere", commandOf("", { workingDirectory: "no-such-folder" })),
    ]);
    const reasons = Object.fromEntries(problems.map((problem) => [problem.workload, problem]));
    expect(reasons["ns/absent"]?.reason).toContain("ENOENT");
    expect(reasons["ns/crashes"]?.logTail).toContain("no database");
    expect(reasons["ns/broken"]?.reason).toMatch(/did not answer GET \/broken on port \d+ within 0.7 s/);
    expect(reasons["ns/nowhere"]?.reason).toContain("no-such-folder");
    expect(events.some(({ workload, event }) => workload === "ns/crashes" && event.kind === "exited")).toBe(true);
  });
});

describe("a change", () => {
  it("makes the new before it breaks the old, and shows it only once it is committed", async () => {
    await using temp = await temporaryFolder();
    await using workloads = open(temp.path);
    await workloads.update([workload("app", commandOf("one")), workload("same", commandOf("same"))]);
    const [before] = workloads.endpoints("ns/app");
    const same = workloads.endpoints("ns/same");
    const change = await workloads.prepare([workload("app", commandOf("two")), workload("same", commandOf("same"))]);
    expect(change.problems).toEqual([]);
    expect(workloads.endpoints("ns/app")).toEqual([before]);
    expect(await ask(before)).toBe("one");
    expect(await ask(change.endpoints("ns/app")[0])).toBe("two");
    expect(change.endpoints("ns/same")).toEqual(same);
    await expect(workloads.prepare([])).rejects.toThrow(/neither committed nor abandoned/);
    await change.commit();
    expect(await ask(workloads.endpoints("ns/app")[0])).toBe("two");
    await expect(ask(before)).rejects.toThrow("fetch failed");
    expect(workloads.endpoints("ns/same")).toEqual(same);
    await expect(change.commit()).rejects.toThrow(/ended already/);
  });

  it("leaves everything as it was when it is abandoned", async () => {
    await using temp = await temporaryFolder();
    await using workloads = open(temp.path);
    await workloads.update([workload("app", commandOf("one"))]);
    const before = workloads.endpoints("ns/app");
    const change = await workloads.prepare([workload("app", commandOf("two")), workload("more", commandOf("more"))]);
    const [added] = change.endpoints("ns/more");
    await change.abandon();
    expect(workloads.endpoints("ns/app")).toEqual(before);
    expect(await ask(before[0])).toBe("one");
    await expect(ask(added)).rejects.toThrow("fetch failed");
  });

  it("scales without touching the replicas that stay, and takes other checks without a restart", async () => {
    await using temp = await temporaryFolder();
    await using workloads = open(temp.path);
    await workloads.update([workload("app", commandOf("x", { replicas: 1 }))]);
    const [first] = workloads.endpoints("ns/app");
    await workloads.update([workload("app", commandOf("x", { replicas: 2 }))]);
    expect(workloads.endpoints("ns/app")[0]).toEqual(first);
    expect(workloads.endpoints("ns/app")).toHaveLength(2);
    const readiness = { path: "/broken", intervalMs: 10, timeoutMs: 500 };
    await workloads.update([workload("app", commandOf("x", { replicas: 1, readiness }))]);
    await expect.poll(() => workloads.endpoints("ns/app")).toEqual([{ ...first, ready: false }]);
    expect(workloads.status()[0]?.replicas[0]?.restarts).toBe(0);
    await workloads.update([]);
    expect(workloads.status()).toEqual([]);
    await expect(ask(first)).rejects.toThrow("fetch failed");
  });
});

describe("stopping", () => {
  it("ends a change that still waits for its replicas, and leaves no process", async () => {
    await using temp = await temporaryFolder();
    const workloads = open(temp.path, { readyTimeoutMs: 60_000 });
    const readiness = { path: "/broken", intervalMs: 50, timeoutMs: 500 };
    const preparing = workloads.prepare([workload("app", commandOf("x", { readiness }))]);
    await expect.poll(() => readFile(join(temp.path, "processes.json"), "utf8")).toContain('"pid"');
    await workloads.stop();
    const change = await preparing;
    expect(change.problems).toMatchObject([{ workload: "ns/app", reason: expect.stringContaining("stopped") }]);
    await change.commit();
    await change.abandon();
    expect(workloads.status()).toEqual([]);
    expect(ProcessRegistry.open(join(temp.path, "processes.json")).running("workload")).toEqual([]);
    await expect(workloads.prepare([])).rejects.toThrow("the workloads were stopped");
  });
});

describe("addresses", () => {
  it("are watched: ready, unready after failures in a row, ready again", { timeout: 10_000 }, async () => {
    await using temp = await temporaryFolder();
    await using workloads = open(temp.path);
    const server = createServer((_, response) => response.end());
    onTestFinished(() => void server.close());
    const listen = (port: number) => new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
    await listen(0);
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    await workloads.update([
      workload("app", {
        kind: "addresses",
        addresses: [{ host: "127.0.0.1", port }],
        readiness: { path: undefined, intervalMs: 100, timeoutMs: 1_000 },
      }),
    ]);
    expect(workloads.endpoints("ns/app")).toEqual([{ host: "127.0.0.1", port, replica: 0, ready: true }]);
    expect(workloads.status()).toEqual([
      {
        name: "ns/app",
        replicas: [{ address: `127.0.0.1:${port}`, ready: true, pid: undefined, restarts: 0, logFile: undefined }],
      },
    ]);
    await new Promise((resolve) => void server.close(resolve));
    await expect.poll(() => workloads.endpoints("ns/app")[0]?.ready, { timeout: 4_500 }).toBe(false);
    await listen(port);
    await expect.poll(() => workloads.endpoints("ns/app")[0]?.ready, { timeout: 2_500 }).toBe(true);
  });
});

describe("the next kirikae", () => {
  it("adopts the replicas of an unchanged spec and replaces the others", async () => {
    await using temp = await temporaryFolder();
    const before = open(temp.path);
    await before.update([workload("app", commandOf("x", { replicas: 2 })), workload("old", commandOf("old"))]);
    const endpoints = before.endpoints("ns/app");
    const pids = before.status()[0]?.replicas.map((replica) => replica.pid);
    const [old] = before.endpoints("ns/old");
    await before.detach();
    await using workloads = open(temp.path);
    const change = await workloads.prepare([
      workload("app", commandOf("x", { replicas: 2 })),
      workload("old", commandOf("new")),
    ]);
    expect(change.endpoints("ns/app")).toEqual(endpoints);
    expect(await ask(old)).toBe("old");
    await change.commit();
    expect(workloads.status()[0]?.replicas.map((replica) => replica.pid)).toEqual(pids);
    expect(workloads.status()[0]?.replicas.map((replica) => replica.restarts)).toEqual([0, 0]);
    await expect(ask(old)).rejects.toThrow("fetch failed");
    expect(await ask(workloads.endpoints("ns/old")[0])).toBe("new");
  });

  it("stops what it finds and does not want, also without any change", async () => {
    await using temp = await temporaryFolder();
    const before = open(temp.path);
    await before.update([workload("app", commandOf("x"))]);
    const [endpoint] = before.endpoints("ns/app");
    await before.detach();
    await open(temp.path).stop();
    await expect(ask(endpoint)).rejects.toThrow("fetch failed");
  });

  it("finds every process of a kirikae that was killed at any moment", { timeout: 60_000 }, async () => {
    await using temp = await temporaryFolder();
    const script = `
      const { LocalWorkloads } = await import(${JSON.stringify(new URL("./workloads.ts", import.meta.url).href)});
      const { ProcessRegistry } = await import(${JSON.stringify(new URL("./process-registry.ts", import.meta.url).href)});
      const folder = ${JSON.stringify(temp.path)};
      const registry = ProcessRegistry.open(folder + "/processes.json");
      const workloads = new LocalWorkloads({ registry, logFolder: folder, drainMs: 0 });
      console.log("go");
      for (let round = 0; ; round += 1) {
        await workloads.update(${JSON.stringify([workload("app", commandOf("x", { replicas: 2 }))])}.map((manifest) => ({
          ...manifest, spec: { ...manifest.spec, source: { ...manifest.spec.source, env: { ROUND: String(round) } } },
        })));
      }`;
    for (let round = 0; round < 8; round += 1) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, KIRIKAE_CRASH_TEST: temp.path },
      });
      const ended = new Promise((resolve) => void child.once("exit", resolve));
      await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, round * 37));
      child.kill("SIGKILL");
      await ended;
      const registry = ProcessRegistry.open(join(temp.path, "processes.json"));
      const known = registry.running("workload").map((record) => record.process.pid);
      expect(new Set(known)).toEqual(new Set(await pidsWith(`KIRIKAE_CRASH_TEST=${temp.path}`)));
      if (round < 6) continue;
      await new LocalWorkloads({ registry, logFolder: temp.path }).stop();
      expect(await pidsWith(`KIRIKAE_CRASH_TEST=${temp.path}`)).toEqual([]);
      expect(registry.running("workload").some((record) => isRunning(record.process))).toBe(false);
    }
  });
});

/** Every process that has this in its environment, the way a person would look for them. */
async function pidsWith(variable: string): Promise<readonly number[]> {
  const { readdir } = await import("node:fs/promises");
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (environment.split("\0").includes(variable)) found.push(Number(name));
  }
  return found;
}
