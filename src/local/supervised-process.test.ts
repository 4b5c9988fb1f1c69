import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { isRunning } from "./process-identity.ts";
import { ProcessRegistry } from "./process-registry.ts";
import { SupervisedProcess, type LaunchSpec, type SupervisionEvent } from "./supervised-process.ts";

const idle = "setInterval(() => {}, 1000)";

function specOf(folder: string, script: string): LaunchSpec {
  return {
    role: "workload",
    name: "ns/app",
    replica: 0,
    specHash: "hash",
    port: undefined,
    file: process.execPath,
    args: ["-e", script],
    env: process.env,
    workingDirectory: folder,
    logFile: join(folder, "app.log"),
  };
}

function supervise(folder: string, script: string, registry = ProcessRegistry.open(join(folder, "processes.json"))) {
  const events: SupervisionEvent[] = [];
  const supervised = new SupervisedProcess({
    registry,
    stopScope: "group",
    graceMs: 500,
    prepare: () => Promise.resolve(specOf(folder, script)),
    onEvent: (event) => events.push(event),
    backoff: { firstMs: 10, maxMs: 40 },
  });
  return { supervised, events, registry };
}

describe("a supervised process", () => {
  it("runs with its own log, is written down, and is gone from both after the stop", async () => {
    await using temp = await temporaryFolder();
    const { supervised, registry } = supervise(temp.path, `console.log("hello"); ${idle}`);
    await supervised.start();
    const record = supervised.record;
    if (record === undefined) throw new Error("no record");
    expect(registry.running("workload")).toEqual([record]);
    await expect.poll(() => readFile(join(temp.path, "app.log"), "utf8")).toBe("hello\n");
    expect((await stat(join(temp.path, "app.log"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(temp.path, "processes.json"))).mode & 0o777).toBe(0o600);
    await supervised.stop();
    expect(isRunning(record.process)).toBe(false);
    expect(ProcessRegistry.open(join(temp.path, "processes.json")).running("workload")).toEqual([]);
  });

  it("is started again after it ends, ever later", async () => {
    await using temp = await temporaryFolder();
    await using run = supervise(temp.path, "process.exit(3)").supervised;
    const { supervised, events } = supervise(temp.path, "process.exit(3)");
    await using _ = supervised;
    await run.stop();
    await supervised.start();
    await expect.poll(() => supervised.restarts).toBeGreaterThanOrEqual(4);
    const exits = events.filter((event) => event.kind === "exited");
    expect(exits.slice(0, 4)).toMatchObject(
      [10, 20, 40, 40].map((restartInMs) => ({ restartInMs, detail: "status 3" })),
    );
  });

  it("comes back after kill -9 with another pid", async () => {
    await using temp = await temporaryFolder();
    const { supervised, events } = supervise(temp.path, idle);
    await using _ = supervised;
    await supervised.start();
    const first = supervised.record?.process.pid ?? 0;
    process.kill(first, "SIGKILL");
    await expect.poll(() => supervised.record?.process.pid ?? first).not.toBe(first);
    expect(events).toMatchObject([
      { kind: "started" },
      { kind: "exited", detail: "signal SIGKILL" },
      { kind: "started" },
    ]);
  });

  it("rejects a program that cannot be started, and keeps no record of it", async () => {
    await using temp = await temporaryFolder();
    const registry = ProcessRegistry.open(join(temp.path, "processes.json"));
    const supervised = new SupervisedProcess({
      registry,
      stopScope: "group",
      graceMs: 100,
      prepare: () => Promise.resolve({ ...specOf(temp.path, ""), file: join(temp.path, "absent") }),
    });
    await expect(supervised.start()).rejects.toThrow(/ENOENT/);
    expect(JSON.parse(await readFile(join(temp.path, "processes.json"), "utf8"))).toMatchObject({ launches: [] });
  });

  it("can be stopped while it waits for its restart, and while it starts", async () => {
    await using temp = await temporaryFolder();
    const { supervised, registry } = supervise(temp.path, "process.exit(1)");
    await supervised.start();
    await expect.poll(() => supervised.record).toBeUndefined();
    await supervised.stop();
    const other = supervise(temp.path, idle, registry).supervised;
    const starting = other.start();
    await other.stop();
    await starting;
    expect(registry.running("workload")).toEqual([]);
  });
});

describe("the next kirikae", () => {
  it("adopts what runs, sees it end, and starts it again", async () => {
    await using temp = await temporaryFolder();
    const before = supervise(temp.path, idle);
    await before.supervised.start();
    const record = before.supervised.record;
    await before.supervised.detach();

    const registry = ProcessRegistry.open(join(temp.path, "processes.json"));
    const [found] = registry.running("workload");
    if (found === undefined) throw new Error("not found");
    expect(found).toEqual(record);
    const { supervised, events } = supervise(temp.path, idle, registry);
    await using _ = supervised;
    supervised.adopt(found);
    process.kill(found.process.pid, "SIGKILL");
    await expect.poll(() => supervised.record?.process.pid ?? found.process.pid).not.toBe(found.process.pid);
    expect(events.map((event) => event.kind)).toEqual(["adopted", "exited", "started"]);
  });

  it("finds one that was started but whose pid was never written down", async () => {
    await using temp = await temporaryFolder();
    const path = join(temp.path, "processes.json");
    const { supervised } = supervise(temp.path, idle);
    await using _ = supervised;
    await supervised.start();
    const record = supervised.record;
    if (record === undefined) throw new Error("no record");
    const launches = [
      { ...record, process: null },
      { ...record, id: "never-started", process: null },
    ];
    await writeFile(path, JSON.stringify({ version: 1, launches }));
    expect(ProcessRegistry.open(path).running("workload")).toEqual([record]);
  });

  it("takes no other process for the one that was written down", async () => {
    await using temp = await temporaryFolder();
    const path = join(temp.path, "processes.json");
    await mkdir(temp.path, { recursive: true });
    const record = {
      id: "x",
      role: "workload",
      name: "n",
      replica: 0,
      specHash: "h",
      port: null,
      logFile: "",
      stopScope: "group",
    };
    const reused = { pid: process.pid, startedAt: "some other boot/1" };
    await writeFile(path, JSON.stringify({ version: 1, launches: [{ ...record, process: reused }] }));
    expect(ProcessRegistry.open(path).running("workload")).toEqual([]);
  });

  it.each([
    "{",
    "[]",
    '{"version":2,"launches":[]}',
    '{"version":1,"launches":[{"id":"a","specHash":"b","stopScope":"group","process":{"pid":-1,"startedAt":"x"}}]}',
  ])("refuses a list that it does not understand: %s", async (text) => {
    await using temp = await temporaryFolder();
    const path = join(temp.path, "processes.json");
    await writeFile(path, text);
    expect(() => ProcessRegistry.open(path)).toThrow(expect.objectContaining({ code: "KIR5002" }));
  });
});
