import { userInfo } from "node:os";
import { describe, expect, test, vi } from "vitest";
import { sampleRelease } from "../../test/api/sample-release.ts";
import { playCommands } from "../../test/played-commands.fixture.ts";

const cli = playCommands();

describe("moves", () => {
  test("switch prints plan, preflight, proof and ledger", async () => {
    await cli().startUp();
    const { status, stdout } = await cli().run(["switch", "sample-app", "--to", "green", "--reason", "release 12"]);
    expect(status).toBe(0);
    await expect(stdout).toMatchFileSnapshot("testdata/switch.txt");
    expect(cli().backend.requests[0]).toMatchObject({
      verb: "switch",
      name: "sample-app",
      to: { green: 100 },
      reason: "release 12",
    });
    expect(cli().backend.requests[0]?.actor).toMatch(/./u);
  });

  test("switch --json has the keys of the contract first, and nothing else is on stdout", async () => {
    await cli().startUp();
    const { status, stdout, stderr } = await cli().run([
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
    expect(cli().backend.requests[0]).toMatchObject({ namespace: "sample-ns" });
  });

  test("namespace/name says both", async () => {
    await cli().startUp();
    await cli().run(["rollback", "sample-ns/sample-app"]);
    expect(cli().backend.requests[0]).toMatchObject({
      verb: "rollback",
      name: "sample-app",
      namespace: "sample-ns",
      to: {},
    });
  });

  test("shift takes several shares", async () => {
    await cli().startUp();
    await cli().run(["shift", "sample-app", "--to", "green=10", "blue=2.5"]);
    expect(cli().backend.requests[0]).toMatchObject({ verb: "shift", to: { green: 10, blue: 2.5 } });
  });

  test("a move that is not proved is status 1 and says why", async () => {
    cli().backend.ledger = { requests: 120, ok: 117, failed: 3, failures: ["503 UH to green, three times"] };
    await cli().startUp();
    const { status, stdout } = await cli().run(["switch", "sample-app", "--to", "green"]);
    expect(status).toBe(1);
    await expect(stdout).toMatchFileSnapshot("testdata/switch-unproved.txt");
  });

  test("a refusal keeps its own status, code and list of names", async () => {
    await cli().startUp();
    const { status, stdout, stderr } = await cli().run(["switch", "nobody", "--to", "green", "--json"]);
    expect(status).toBe(2);
    expect(stderr).toContain("KIR2001");
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "KIR2001", details: { known: ["sample-app"] } } });
  });

  test("--dry-run shows the plan and moves nothing", async () => {
    await cli().startUp();
    const { status, stdout } = await cli().run(["switch", "sample-app", "--to", "green", "--dry-run"]);
    expect(status).toBe(0);
    expect(stdout).toContain("Plan  switch sample-ns/sample-app: blue to green");
    expect(cli().backend.live).toBe("blue");
  });

  test.each([["--dry-run"], ["--route", "public"]])("rollback --release refuses %s", async (...option) => {
    const { status, stderr } = await cli().run(["rollback", "to-green", "--release", ...option]);
    expect(status).toBe(2);
    expect(stderr).toContain(`KIR5057 ${option[0]} does not go with --release.`);
  });

  test("Ctrl-C stops watching and the move runs on", async () => {
    const held = Promise.withResolvers<void>();
    cli().backend.mayEnd = held.promise;
    await cli().startUp();
    const { child, ended } = cli().start(["switch", "sample-app", "--to", "green"]);
    child.stdout.once("data", () => child.kill("SIGINT"));
    const { status, stderr } = await ended;
    expect(status).toBe(130);
    expect(stderr).toContain("The move runs on");
    held.resolve();
    await vi.waitFor(() => expect(cli().backend.live).toBe("green"));
  });

  test("up going away in the middle is the environment's fault", async () => {
    cli().backend.mayEnd = new Promise(() => {});
    const running = await cli().startUp();
    const { ended, child } = cli().start(["switch", "sample-app", "--to", "green"]);
    child.stdout.once("data", () => void running[Symbol.asyncDispose]());
    expect(await ended).toMatchObject({ status: 3, stderr: expect.stringContaining("KIR5059") });
  });
});

describe("status", () => {
  test("for people, for scripts, and of one service", async () => {
    await cli().startUp();
    await expect((await cli().run(["status"])).stdout).toMatchFileSnapshot("testdata/status.txt");
    const { stdout } = await cli().run(["status", "sample-app", "--json"]);
    expect(JSON.parse(stdout).services).toEqual([expect.objectContaining({ virtualService: "sample-ns/sample-app" })]);
    const unknown = await cli().run(["status", "nobody"]);
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining("sample-ns/sample-app") });
  });

  test("a reader that closes the pipe early is no error", async () => {
    await cli().startUp();
    const { child, ended } = cli().start(["status", "--watch", "--json"]);
    const emitting = setInterval(
      () => cli().backend.emit({ event: "sample", sample: cli().backend.sampleAt(1_000) }),
      5,
    );
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
    cli().backend.releases.all = [sampleRelease({ phase })];
    await cli().startUp();
    expect(await cli().run([verb, "to-green", "--reason", "again"])).toMatchObject({ status });
    expect(cli().backend.releases.orders).toMatchObject([{ command: { kind: verb }, reason: "again" }]);
  });

  test("is that of whoever says it", async () => {
    cli().backend.releases.all = [sampleRelease({ phase: "awaiting" })];
    await cli().startUp();
    await cli().run(["approve", "to-green", "--as", "bob"]);
    await cli().run(["approve", "to-green"]);
    expect(cli().backend.releases.orders.map(({ actor }) => actor)).toEqual(["bob", userInfo().username]);
  });

  test("passes a freeze with a reason alone", async () => {
    cli().backend.releases.all = [sampleRelease({ phase: "frozen" })];
    await cli().startUp();
    const without = await cli().run(["promote", "to-green", "--despite-freeze"]);
    expect(without).toMatchObject({ status: 2, stderr: expect.stringContaining("--despite-freeze needs a reason.") });
    expect(cli().backend.releases.orders).toEqual([]);
    expect(await cli().run(["promote", "to-green", "--despite-freeze", "--reason", "the shop is down"])).toMatchObject({
      status: 0,
    });
    expect(cli().backend.releases.orders).toMatchObject([
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
    await cli().startUp();
    const { stdout } = await cli().run(["status"], env);
    expect(stdout.includes("\u001B[")).toBe(isColoured);
  });
});
