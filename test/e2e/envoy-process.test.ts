import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { AdminClient } from "../../src/local/admin-client.ts";
import type { EnvoyBinary } from "../../src/local/envoy-binary.ts";
import { EnvoyProcess, stopLeftEnvoy, type EnvoyProcessOptions } from "../../src/local/envoy-process.ts";
import { FreePorts } from "../../src/local/free-port.ts";
import { holdsPort } from "../../src/local/port-owner.ts";
import { isRunning } from "../../src/local/process-identity.ts";
import { ProcessRegistry } from "../../src/local/process-registry.ts";
import { openStateFolder, type StateFolder } from "../../src/local/state-folder.ts";
import type { SupervisionEvent } from "../../src/local/supervised-process.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const binary: EnvoyBinary = { ...inject("envoyBinary"), source: "environment" };

/** Answers every request with `answer`. */
function bootstrapOf(admin: string, port: number, answer: string): string {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "http",
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: answer } } }],
        },
      ],
    },
    http_filters: [
      {
        name: "router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  return JSON.stringify({
    admin: { address: { pipe: { path: admin, mode: 0o600 } } },
    static_resources: {
      listeners: [
        {
          name: "http",
          address: { socket_address: { address: "127.0.0.1", port_value: port } },
          filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
        },
      ],
    },
  });
}

interface Bench extends AsyncDisposable {
  readonly state: StateFolder;
  readonly port: number;
  readonly events: SupervisionEvent[];
  options(answer?: string): EnvoyProcessOptions;
}

async function bench(folderName = "state"): Promise<Bench> {
  const temp = await temporaryFolder();
  const state = await openStateFolder({ KIRIKAE_STATE: join(temp.path, folderName) });
  const port = await new FreePorts().take();
  const adminSocket = state.socket("admin.sock");
  const events: SupervisionEvent[] = [];
  return {
    state,
    port,
    events,
    options: (answer = "one") => ({
      binary,
      state,
      registry: ProcessRegistry.open(state.processes),
      bootstrap: bootstrapOf(adminSocket, port, answer),
      adminSocket,
      concurrency: 1,
      onEvent: (event) => events.push(event),
    }),
    async [Symbol.asyncDispose]() {
      await stopLeftEnvoy(ProcessRegistry.open(state.processes));
      // Under a long path the sockets lie outside.
      await rm(dirname(adminSocket), { recursive: true, force: true });
      await temp[Symbol.asyncDispose]();
    },
  };
}

/** The address of a module of `src/local`, as a literal for a script. */
function url(name: string): string {
  return JSON.stringify(new URL(`../../src/local/${name}.ts`, import.meta.url).href);
}

async function ask(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`)).text();
}

describe("Envoy", () => {
  it("starts, serves, ends when it is told to, and is written down no more", async () => {
    await using at = await bench();
    const envoy = await EnvoyProcess.start(at.options());
    await envoy.whenLive(10_000);
    expect(envoy.origin).toBe("started");
    expect(await ask(at.port)).toBe("one");
    expect(holdsPort(envoy.pid ?? 0, at.port)).toBe(true);
    expect((await envoy.admin.get("/server_info")).body).toContain(binary.version);
    expect((await envoy.admin.post("/logging?level=info")).status).toBe(200);
    expect((await stat(envoy.logFile)).mode & 0o777).toBe(0o600);
    expect((await stat(at.state.bootstrap)).mode & 0o777).toBe(0o600);
    await envoy.stop();
    await expect(ask(at.port)).rejects.toThrow("fetch failed");
    expect(ProcessRegistry.open(at.state.processes).running("envoy")).toEqual([]);
  });

  it("comes back after a crash on the same sockets", async () => {
    await using at = await bench();
    await using envoy = await EnvoyProcess.start(at.options());
    await envoy.whenLive(10_000);
    process.kill(envoy.pid ?? 0, "SIGKILL");
    await expect.poll(() => envoy.restarts).toBe(1);
    await envoy.whenLive(10_000);
    expect(await ask(at.port)).toBe("one");
    expect(at.events.map((event) => event.kind)).toEqual(["started", "exited", "started"]);
  });

  it("runs on without kirikae and is adopted by the next one, without a failed request", async () => {
    await using at = await bench();
    const first = await EnvoyProcess.start(at.options());
    await first.whenLive(10_000);
    const { pid } = first;
    const over = new AbortController();
    let answers = 0;
    const traffic = (async () => {
      while (!over.signal.aborted) {
        expect(await ask(at.port)).toBe("one");
        answers += 1;
      }
    })();
    await first.detach();
    await using second = await EnvoyProcess.start(at.options());
    await expect.poll(() => answers).toBeGreaterThan(50);
    over.abort();
    await traffic;
    expect(second.origin).toBe("adopted");
    expect(second.pid).toBe(pid);
    process.kill(pid ?? 0, "SIGKILL");
    await expect.poll(() => second.restarts).toBe(1);
    await second.whenLive(10_000);
    expect(await ask(at.port)).toBe("one");
  });

  it("is replaced, not adopted, when it would be started in another way now", async () => {
    await using at = await bench();
    const first = await EnvoyProcess.start(at.options("one"));
    await first.whenLive(10_000);
    const [record] = ProcessRegistry.open(at.state.processes).running("envoy");
    if (record === undefined) throw new Error("no record");
    await first.detach();
    await using second = await EnvoyProcess.start(at.options("two"));
    await second.whenLive(10_000);
    expect(second.origin).toBe("started");
    expect(isRunning(record.process)).toBe(false);
    expect(await ask(at.port)).toBe("two");
  });

  it("is replaced when it runs but does not answer", async () => {
    await using at = await bench();
    const first = await EnvoyProcess.start(at.options());
    const [record] = ProcessRegistry.open(at.state.processes).running("envoy");
    if (record === undefined) throw new Error("no record");
    await first.detach();
    process.kill(record.process.pid, "SIGSTOP");
    await using second = await EnvoyProcess.start(at.options());
    expect(second.origin).toBe("started");
    expect(isRunning(record.process)).toBe(false);
  });

  it("says what is wrong with its bootstrap, and nothing runs afterwards", async () => {
    await using at = await bench();
    const broken = { ...at.options(), bootstrap: '{"static_resources": {"listenerz": []}}' };
    await expect(EnvoyProcess.start(broken)).rejects.toMatchObject({
      code: "KIR5009",
      exitStatus: 3,
      message: expect.stringContaining("listenerz"),
      hint: expect.stringContaining("envoy.log"),
    });
    expect(ProcessRegistry.open(at.state.processes).running("envoy")).toEqual([]);
    const absent = { ...at.options(), binary: { ...binary, path: "/no/such/envoy" } };
    await expect(EnvoyProcess.start(absent)).rejects.toMatchObject({ code: "KIR5009" });
  });

  it("of two state folders do not meet, under paths of any length", async () => {
    await using one = await bench("x".repeat(130));
    await using two = await bench("y".repeat(130));
    await using first = await EnvoyProcess.start(one.options("one"));
    await using second = await EnvoyProcess.start(two.options("two"));
    await Promise.all([first.whenLive(10_000), second.whenLive(10_000)]);
    expect([await ask(one.port), await ask(two.port)]).toEqual(["one", "two"]);
    await first.stop();
    expect(await ask(two.port)).toBe("two");
  });

  it("is found after kill -9 of its kirikae, at every moment of its start", async () => {
    await using at = await bench();
    const options = at.options();
    const file = join(at.state.path, "options.json");
    await writeFile(file, JSON.stringify({ ...options, registry: undefined, path: at.state.path }));
    const script = `
      const { readFileSync } = await import("node:fs");
      const { EnvoyProcess } = await import(${url("envoy-process")});
      const { ProcessRegistry } = await import(${url("process-registry")});
      const { openStateFolder } = await import(${url("state-folder")});
      const options = JSON.parse(readFileSync(${JSON.stringify(file)}, "utf8"));
      const state = await openStateFolder({ KIRIKAE_STATE: options.path });
      console.log("go");
      await EnvoyProcess.start({ ...options, state, registry: ProcessRegistry.open(state.processes) });
      setInterval(() => {}, 1000);`;
    for (const waitMs of [0, 2, 4, 8, 16, 32, 200]) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = new Promise((resolve) => void child.once("exit", resolve));
      await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      child.kill("SIGKILL");
      await ended;
    }
    const envoy = await EnvoyProcess.start(at.options());
    await envoy.whenLive(10_000);
    expect(ProcessRegistry.open(at.state.processes).running("envoy")).toHaveLength(1);
    expect(await ask(at.port)).toBe("one");
    await envoy.stop();
    // With SO_REUSEPORT a second Envoy would have shared the port without a word, and would answer now.
    await expect(ask(at.port)).rejects.toThrow("fetch failed");
  });
});

it("the admin client gives up in time and says so", async () => {
  await using at = await bench();
  await expect(new AdminClient(at.state.socket("nobody.sock")).get("/ready")).rejects.toThrow(/ENOENT/);
  await using envoy = await EnvoyProcess.start(at.options());
  process.kill(envoy.pid ?? 0, "SIGSTOP");
  await expect(envoy.admin.get("/ready", { timeoutMs: 100 })).rejects.toThrow(/no answer within 100 ms/);
  expect(await envoy.admin.isLive({ timeoutMs: 100 })).toBe(false);
  process.kill(envoy.pid ?? 0, "SIGCONT");
  await envoy.whenLive(10_000);
  await expect(envoy.admin.get("/server_info", { maxBytes: 100 })).rejects.toThrow(/more than 100 bytes/);
});
