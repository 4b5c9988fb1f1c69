import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeBackend } from "../../test/api/fake-backend.ts";
import { sampleRelease } from "../../test/api/sample-release.ts";
import { startApi, type RunningApi } from "../api/server.ts";
import { observeProcess } from "../local/process-identity.ts";
import { ProcessRegistry } from "../local/process-registry.ts";

const bin = fileURLToPath(new URL("../../bin/kirikae.js", import.meta.url));

let folder: string;
let backend: FakeBackend;
let api: RunningApi | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kirikae-cli-"));
  backend = new FakeBackend();
});

afterEach(async () => {
  await api?.[Symbol.asyncDispose]();
  api = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function startUp(): Promise<RunningApi> {
  api = await startApi(backend, { tokenFile: join(folder, "token"), addressFile: join(folder, "api.json") });
  return api;
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const neutral = { NO_COLOR: undefined, FORCE_COLOR: undefined, KIRIKAE_ENVOY: undefined, KIRIKAE_STATE: folder };
  const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...neutral, ...env } });
  const ended = Promise.all([
    new Promise<number | null>((resolve) => {
      child.once("close", (status) => resolve(status));
    }),
    // A test may close its end early.
    text(child.stdout).catch(() => ""),
    text(child.stderr),
  ]).then(([status, stdout, stderr]): Ended => ({ status, stdout, stderr }));
  return { child, ended };
}

function run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> {
  const { child, ended } = start(args, env);
  child.stdin.end();
  return ended;
}

test("what one command has compiled, the next one finds", async () => {
  expect(await run(["--version"], { TMPDIR: folder, NODE_COMPILE_CACHE: undefined })).toMatchObject({ status: 0 });
  const compiled = await readdir(join(folder, "node-compile-cache"), { recursive: true });
  expect(compiled.length).toBeGreaterThan(50);
});

describe("exit status 2: wrong use", () => {
  test.each([
    [[], "No command was given"],
    [["swich"], "Unknown command 'swich'"],
    [["switch"], "Required option '--to <version>' not specified"],
    [["rollback"], "Missing required argument 'name'"],
    [["switch", "a"], "Required option '--to <version>' not specified"],
    [["switch", "a", "--to", "b", "--nope"], "Unknown option '--nope'"],
    [["switch", "a", "b", "--to", "c"], "Too many arguments"],
    [["shift", "a", "--to", "green"], "is not a version and its share"],
    [["shift", "a", "--to", "green=101"], "is not a version and its share"],
    [["shift", "a", "--to", "green=60", "blue=50"], "add up to 110 percent"],
    [["shift", "a", "--to", "green=6", "--to", "green=5"], "given twice"],
    [["up", "x", "--port", "70000"], "A port is a number"],
    [["up", "x", "--concurrency", "0"], "number of threads"],
    [["start", "x", "-n", "a"], "start takes -n with --context only"],
    [["check"], "Missing required argument 'path'"],
    [["check", "--explain", "KIR9999"], "has the code"],
    [["check", "x", "--output", "xml"], "Allowed choices are"],
    [["check", "x", "--fail-on", "fatal"], "Allowed choices are"],
    [["check", "/does/not/exist"], "does not exist"],
    [["explain", "x", "--url", "ftp://a/"], "is not a URL of http or https"],
    [["explain", "x", "--url", "http://a/", "-H", "nonsense"], "is not a header"],
    [["explain", "x", "--url", "http://a:99999/"], "is not a port"],
  ])("%j", async (args, message) => {
    const { status, stdout, stderr } = await run(args);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  test("with --json the error is on stdout too", async () => {
    const { status, stdout } = await run(["switch", "a", "--json"]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "KIR5057" } });
  });
});

describe("exit status 3: the environment", () => {
  test.each([["switch", "a", "--to", "b"], ["shift", "a", "--to", "b=1"], ["rollback", "a"], ["status"], ["page"]])(
    "%s %s: nothing is running",
    async (...args) => {
      const { status, stderr } = await run(args);
      expect(status).toBe(3);
      expect(stderr).toContain("KIR5050");
      expect(stderr).toContain("kirikae up");
    },
  );

  test("files of a run that died are the same as none", async () => {
    await writeFile(join(folder, "token"), "x\n");
    await writeFile(join(folder, "api.json"), '{"url":"http://127.0.0.1:9","pid":1}');
    expect(await run(["status"])).toMatchObject({ status: 3, stderr: expect.stringContaining("KIR5050") });
  });

  test("an Envoy that serves on without its up is named, by doctor too", async () => {
    const serving = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    try {
      const registry = ProcessRegistry.open(join(folder, "processes.json"));
      const identity = observeProcess(serving.pid ?? 0) ?? { pid: 0, startedAt: "" };
      const launch = { id: "test", role: "envoy", name: "envoy", replica: 0, specHash: "", port: null } as const;
      registry.declare({ ...launch, logFile: "", stopScope: "process", process: null });
      registry.confirm("test", identity);
      const { status, stdout } = await run(["status", "--json"]);
      expect(status).toBe(3);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "KIR5050", details: { envoyPids: [serving.pid] } } });
      expect((await run(["doctor"])).stdout).toContain(`Envoy (pid ${serving.pid}) serves on`);
    } finally {
      serving.kill("SIGKILL");
    }
  });

  test("an API that does not know the token", async () => {
    await startUp();
    await writeFile(join(folder, "token"), "wrong\n");
    expect(await run(["status"])).toMatchObject({ status: 3, stderr: expect.stringContaining("KIR5051") });
  });
});

describe("moves", () => {
  test("switch prints plan, preflight, proof and ledger", async () => {
    await startUp();
    const { status, stdout } = await run(["switch", "sample-app", "--to", "green", "--reason", "release 12"]);
    expect(status).toBe(0);
    await expect(stdout).toMatchFileSnapshot("testdata/switch.txt");
    expect(backend.requests[0]).toMatchObject({
      verb: "switch",
      name: "sample-app",
      to: { green: 100 },
      reason: "release 12",
    });
    expect(backend.requests[0]?.actor).toMatch(/./u);
  });

  test("switch --json has the keys of the contract first, and nothing else is on stdout", async () => {
    await startUp();
    const { status, stdout, stderr } = await run([
      "switch",
      "sample-app",
      "-n",
      "sample-ns",
      "--to",
      "green",
      "--json",
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answer = JSON.parse(stdout);
    expect(Object.keys(answer).slice(0, 6)).toEqual(["ok", "from", "to", "callToProofMs", "proxies", "ledger"]);
    expect(answer).toMatchObject({
      ok: true,
      from: "blue",
      to: "green",
      ledger: { requests: 120, failed: 0, oldAfterDone: 0 },
    });
    expect(backend.requests[0]).toMatchObject({ namespace: "sample-ns" });
  });

  test("namespace/name says both", async () => {
    await startUp();
    await run(["rollback", "sample-ns/sample-app"]);
    expect(backend.requests[0]).toMatchObject({ verb: "rollback", name: "sample-app", namespace: "sample-ns", to: {} });
  });

  test("shift takes several shares", async () => {
    await startUp();
    await run(["shift", "sample-app", "--to", "green=10", "blue=2.5"]);
    expect(backend.requests[0]).toMatchObject({ verb: "shift", to: { green: 10, blue: 2.5 } });
  });

  test("a move that is not proved is status 1 and says why", async () => {
    backend.ledger = { requests: 120, ok: 117, failed: 3, failures: ["503 UH to green, three times"] };
    await startUp();
    const { status, stdout } = await run(["switch", "sample-app", "--to", "green"]);
    expect(status).toBe(1);
    await expect(stdout).toMatchFileSnapshot("testdata/switch-unproved.txt");
  });

  test("a refusal keeps its own status, code and list of names", async () => {
    await startUp();
    const { status, stdout, stderr } = await run(["switch", "nobody", "--to", "green", "--json"]);
    expect(status).toBe(2);
    expect(stderr).toContain("KIR2001");
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "KIR2001", details: { known: ["sample-app"] } } });
  });

  test("--dry-run shows the plan and moves nothing", async () => {
    await startUp();
    const { status, stdout } = await run(["switch", "sample-app", "--to", "green", "--dry-run"]);
    expect(status).toBe(0);
    expect(stdout).toContain("Plan  switch sample-ns/sample-app: blue to green");
    expect(backend.live).toBe("blue");
  });

  test.each([["--dry-run"], ["--route", "public"]])("rollback --release refuses %s", async (...option) => {
    const { status, stderr } = await run(["rollback", "to-green", "--release", ...option]);
    expect(status).toBe(2);
    expect(stderr).toContain(`KIR5057 ${option[0]} does not go with --release.`);
  });

  test("Ctrl-C stops watching and the move runs on", async () => {
    const held = Promise.withResolvers<void>();
    backend.mayEnd = held.promise;
    await startUp();
    const { child, ended } = start(["switch", "sample-app", "--to", "green"]);
    child.stdout.once("data", () => child.kill("SIGINT"));
    const { status, stderr } = await ended;
    expect(status).toBe(130);
    expect(stderr).toContain("The move runs on");
    held.resolve();
    await vi.waitFor(() => expect(backend.live).toBe("green"));
  });

  test("up going away in the middle is the environment's fault", async () => {
    backend.mayEnd = new Promise(() => {});
    const running = await startUp();
    const { ended, child } = start(["switch", "sample-app", "--to", "green"]);
    child.stdout.once("data", () => void running[Symbol.asyncDispose]());
    expect(await ended).toMatchObject({ status: 3, stderr: expect.stringContaining("KIR5059") });
  });
});

describe("status", () => {
  test("for people, for scripts, and of one service", async () => {
    await startUp();
    await expect((await run(["status"])).stdout).toMatchFileSnapshot("testdata/status.txt");
    const { stdout } = await run(["status", "sample-app", "--json"]);
    expect(JSON.parse(stdout).services).toEqual([expect.objectContaining({ virtualService: "sample-ns/sample-app" })]);
    const unknown = await run(["status", "nobody"]);
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining("sample-ns/sample-app") });
  });

  test("a reader that closes the pipe early is no error", async () => {
    await startUp();
    const { child, ended } = start(["status", "--watch", "--json"]);
    const emitting = setInterval(() => backend.emit({ event: "sample", sample: backend.sampleAt(1_000) }), 5);
    child.stdout.once("data", () => child.stdout.destroy());
    const { status, stderr } = await ended.finally(() => clearInterval(emitting));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe("an order to a release", () => {
  test.each([
    { phase: "holding", args: ["retry"], status: 0 },
    { phase: "failed", args: ["retry"], status: 1 },
    { phase: "failed", args: ["promote"], status: 1 },
    { phase: "failed", args: ["reject"], status: 0 },
  ] as const)("that leaves it $phase: $args", async ({ phase, args: [verb], status }) => {
    backend.releases.all = [sampleRelease({ phase })];
    await startUp();
    expect(await run([verb, "to-green", "--reason", "again"])).toMatchObject({ status });
    expect(backend.releases.orders).toMatchObject([{ command: { kind: verb }, reason: "again" }]);
  });

  test("is that of whoever says it", async () => {
    backend.releases.all = [sampleRelease({ phase: "awaiting" })];
    await startUp();
    await run(["approve", "to-green", "--as", "bob"]);
    await run(["approve", "to-green"]);
    expect(backend.releases.orders.map(({ actor }) => actor)).toEqual(["bob", userInfo().username]);
  });

  test("passes a freeze with a reason alone", async () => {
    backend.releases.all = [sampleRelease({ phase: "frozen" })];
    await startUp();
    const without = await run(["promote", "to-green", "--despite-freeze"]);
    expect(without).toMatchObject({ status: 2, stderr: expect.stringContaining("--despite-freeze needs a reason.") });
    expect(backend.releases.orders).toEqual([]);
    expect(await run(["promote", "to-green", "--despite-freeze", "--reason", "the shop is down"])).toMatchObject({
      status: 0,
    });
    expect(backend.releases.orders).toMatchObject([
      { command: { kind: "promote", full: false, despiteFreeze: true }, reason: "the shop is down" },
    ]);
  });
});

describe("colours", () => {
  test.each([
    [{}, false],
    [{ FORCE_COLOR: "1" }, true],
    [{ FORCE_COLOR: "0" }, false],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false],
    [{ FORCE_COLOR: "1", NO_COLOR: "" }, true],
  ])("%j", async (env, isColoured) => {
    await startUp();
    const { stdout } = await run(["status"], env);
    expect(stdout.includes("\u001B[")).toBe(isColoured);
  });
});

describe("offline commands", () => {
  const gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [a.example.com]
`;
  const virtualService = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: demo}
spec:
  hosts: [a.example.com]
  gateways: [web]
  http:
  - name: hello
    directResponse: {status: 200, body: {string: hello}}
`;

  test("check: clean, with errors, and from standard input", async () => {
    const dir = join(folder, "manifests");
    await mkdir(dir);
    await writeFile(join(dir, "a.yaml"), gateway + virtualService);
    expect(await run(["check", dir])).toMatchObject({ status: 0, stdout: expect.stringContaining("0 errors") });
    await writeFile(join(dir, "a.yaml"), gateway.replace("selector:", "selektor:"));
    const broken = await run(["check", dir, "--json"]);
    expect(broken.status).toBe(1);
    const findings = JSON.parse(broken.stdout);
    expect(findings[0]).toMatchObject({ code: "KIR1004", level: "error", at: { line: 5, column: 3 } });
    const keys = ["code", "istioCode", "level", "message", "hint", "resource", "at", "suppression"];
    expect(Object.keys(findings[0])).toEqual(keys);
    const shown = await run(["check", dir]);
    expect(shown.stdout).toContain("    5 |   selektor: {istio: ingressgateway}\n      |   ^");
    const { child, ended } = start(["check", "-"]);
    child.stdin.end(gateway.replace("selector:", "selektor:"));
    expect(await ended).toMatchObject({ status: 1, stdout: expect.stringContaining("<stdin>:5:3") });
  });

  test("explain: a route, a miss, and manifests with errors", async () => {
    const file = join(folder, "a.yaml");
    await writeFile(file, gateway + virtualService);
    const taken = await run(["explain", file, "--url", "http://a.example.com/x?y=1", "--json"]);
    expect(taken.status).toBe(0);
    expect(JSON.parse(taken.stdout)).toMatchObject({
      outcome: "direct",
      status: 200,
      virtualService: "demo/a",
      rule: 0,
    });
    const missed = await run(["explain", file, "--url", "http://b.example.com/"]);
    expect(missed).toMatchObject({ status: 0, stdout: expect.stringContaining("404 NR") });
    await writeFile(file, `${gateway}${virtualService}  typo: 1\n`);
    const doubtful = await run(["explain", file, "--url", "http://a.example.com/"]);
    expect(doubtful).toMatchObject({ status: 1, stderr: expect.stringContaining("KIR1004") });
    const typos = ["a", "b", "c", "d", "e"].map((name) => `  typo-${name}: 1\n`).join("");
    await writeFile(file, `${gateway}${virtualService}${typos}`);
    const noisy = await run(["explain", file, "--url", "http://a.example.com/"]);
    expect(noisy.stderr.match(/error KIR1004/gu)).toHaveLength(3);
    expect(noisy.stderr).toContain("... and 2 more errors; `kirikae check` shows all");
  });

  test("plan: a Release with an error is there and broken, and one that is not there is missing", async () => {
    const file = join(folder, "release.yaml");
    const release =
      "apiVersion: kirikae.dev/v1alpha1\nkind: Release\nmetadata: {name: r, namespace: demo}\nspec: {tos: green}\n";
    await writeFile(file, release);
    const broken = await run(["plan", file]);
    expect(broken).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("holds no Release that is without errors."),
    });
    expect(broken.stderr).toContain(`hint: \`kirikae check ${file}\` shows all of them.`);
    await writeFile(file, gateway);
    expect(await run(["plan", file])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("holds no Release."),
    });
  });

  test("curl says what is wrong with a number and a URL, as one sentence", async () => {
    const from = ["curl", "--from", "demo/a"];
    const none = await run([...from, "http://a/", "-n", "0"]);
    expect(none).toMatchObject({ status: 2, stderr: expect.stringMatching(/from 1 to 100000\.\n/u) });
    const url = await run([...from, "ftp://a/"]);
    expect(url.stderr).toContain('"ftp://a/" is not a URL of http or https.\n  hint: Write it as in http://');
  });

  test("start takes a file and no folder", async () => {
    await writeFile(join(folder, "a.yaml"), gateway);
    await writeFile(join(folder, "b.yaml"), gateway);
    expect(await run(["start", folder])).toMatchObject({ status: 2, stderr: expect.stringContaining("is a folder.") });
  });

  test("history without a journal says so", async () => {
    expect(await run(["history"])).toMatchObject({ status: 3, stderr: expect.stringContaining("KIR2023") });
  });

  test("doctor looks at everything and fetches nothing", async () => {
    await startUp();
    const env = { PATH: "/nowhere", XDG_CACHE_HOME: join(folder, "cache") };
    const { status, stdout } = await run(["doctor", "--json"], env);
    const { ok, checks } = JSON.parse(stdout);
    expect({ ok, status }).toEqual({ ok: false, status: 1 });
    const verdicts = Object.fromEntries(
      checks.map((check: { name: string; verdict: string }) => [check.name, check.verdict]),
    );
    expect(verdicts).toEqual({
      Node: "ok",
      Envoy: "warn",
      Python: "fail",
      "State folder": "ok",
      "kirikae up": "ok",
      Ports: "ok",
    });
    const named = await run(["doctor", "--envoy", "/no/envoy"], env);
    expect(named.stdout).toContain("fail  Envoy");
  });
});

describe("help", () => {
  test("help and version are answers", async () => {
    const help = await run(["--help"]);
    expect(help).toMatchObject({ status: 0, stderr: "" });
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await run(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n` });
    const commands = [...help.stdout.matchAll(/^ {2}([a-z]+) \[?/gmu)].map(([, name]) => name);
    expect(commands).toEqual(expect.arrayContaining(["up", "switch", "shift", "rollback", "status", "check", "help"]));
    expect(commands.filter((name, at) => commands.indexOf(name) !== at)).toEqual([]);
    expect(await run(["switch", "--help"])).toMatchObject({ status: 0, stdout: expect.stringContaining("--dry-run") });
  });
});
