import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { playCommands } from "../../test/played-commands.fixture.ts";
import { observeProcess } from "../local/process-identity.ts";
import { ProcessRegistry } from "../local/process-registry.ts";

const cli = playCommands();

test("what one command has compiled, the next one finds", async () => {
  expect(await cli().run(["--version"], { TMPDIR: cli().folder, NODE_COMPILE_CACHE: undefined })).toMatchObject({
    status: 0,
  });
  const compiled = await readdir(join(cli().folder, "node-compile-cache"), { recursive: true });
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
    const { status, stdout, stderr } = await cli().run(args);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  test("with --json the error is on stdout too", async () => {
    const { status, stdout } = await cli().run(["switch", "a", "--json"]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "KIR5057" } });
  });
});

describe("exit status 3: the environment", () => {
  test.each([["switch", "a", "--to", "b"], ["shift", "a", "--to", "b=1"], ["rollback", "a"], ["status"], ["page"]])(
    "%s %s: nothing is running",
    async (...args) => {
      const { status, stderr } = await cli().run(args);
      expect(status).toBe(3);
      expect(stderr).toContain("KIR5050");
      expect(stderr).toContain("kirikae up");
    },
  );

  test("files of a run that died are the same as none", async () => {
    await writeFile(join(cli().folder, "token"), "x\n");
    await writeFile(join(cli().folder, "api.json"), '{"url":"http://127.0.0.1:9","pid":1}');
    expect(await cli().run(["status"])).toMatchObject({ status: 3, stderr: expect.stringContaining("KIR5050") });
  });

  test("an Envoy that serves on without its up is named, by doctor too", async () => {
    const serving = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    try {
      const registry = ProcessRegistry.open(join(cli().folder, "processes.json"));
      const identity = observeProcess(serving.pid ?? 0) ?? { pid: 0, startedAt: "" };
      const launch = { id: "test", role: "envoy", name: "envoy", replica: 0, specHash: "", port: null } as const;
      registry.declare({ ...launch, logFile: "", stopScope: "process", process: null });
      registry.confirm("test", identity);
      const { status, stdout } = await cli().run(["status", "--json"]);
      expect(status).toBe(3);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "KIR5050", details: { envoyPids: [serving.pid] } } });
      expect((await cli().run(["doctor"])).stdout).toContain(`Envoy (pid ${serving.pid}) serves on`);
    } finally {
      serving.kill("SIGKILL");
    }
  });

  test("an API that does not know the token", async () => {
    await cli().startUp();
    await writeFile(join(cli().folder, "token"), "wrong\n");
    expect(await cli().run(["status"])).toMatchObject({ status: 3, stderr: expect.stringContaining("KIR5051") });
  });
});

describe("help", () => {
  test("help and version are answers", async () => {
    const help = await cli().run(["--help"]);
    expect(help).toMatchObject({ status: 0, stderr: "" });
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await cli().run(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n` });
    const commands = [...help.stdout.matchAll(/^ {2}([a-z]+) \[?/gmu)].map(([, name]) => name);
    expect(commands).toEqual(expect.arrayContaining(["up", "switch", "shift", "rollback", "status", "check", "help"]));
    expect(commands.filter((name, at) => commands.indexOf(name) !== at)).toEqual([]);
    expect(await cli().run(["switch", "--help"])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("--dry-run"),
    });
  });
});
