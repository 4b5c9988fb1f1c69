import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { JudgeAnswer } from "../core/release/check/check-progress.ts";
import type { TemplateValues } from "../core/release/plan/fill-templates.ts";
import { askCommand } from "./ask-command.ts";

const folder = mkdtempSync(join(tmpdir(), "kirikae-command-"));
afterAll(() => rmSync(folder, { recursive: true }));

const values: TemplateValues = {
  release: "shop/to-green",
  namespace: "shop",
  name: "to-green",
  to: "green",
  from: "blue",
  service: "app",
  host: "app.shop.svc.cluster.local",
  duration: "300s",
};

function ask(
  command: readonly string[],
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<JudgeAnswer> {
  const { timeoutMs = 10_000, signal = new AbortController().signal } = options;
  return askCommand(command, { folder, values, timeoutMs, signal });
}

/** Runs a script of a shell that the command itself names. */
function shell(script: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<JudgeAnswer> {
  return ask(["/bin/sh", "-c", script], options);
}

function isRunning(pid: number): boolean {
  try {
    // A process that waits to be reaped has ended.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

async function pidIn(file: string): Promise<number> {
  return vi.waitFor(() => {
    const pid = Number(readFileSync(join(folder, file), "utf8"));
    if (!(pid > 0)) throw new Error("not written yet");
    return pid;
  }, 5_000);
}

test.each([
  [0, "pass"],
  [1, "fail"],
  [2, "fail"],
  [75, "unknown"],
  [127, "fail"],
])("exit status %i is %s", async (status, verdict) => {
  expect(await shell(`echo words; echo last >&2; exit ${status}`)).toEqual({
    verdict,
    detail: `the program ended with ${status}: last`,
  });
});

test("a program that a signal ended has not answered", async () => {
  expect(await shell("kill -9 $$")).toEqual({ verdict: "unknown", detail: "the program ended with SIGKILL" });
});

test("a program that cannot be run has not answered", async () => {
  expect(await ask(["./nowhere"])).toEqual({
    verdict: "unknown",
    detail: "the program cannot be run: spawn ./nowhere ENOENT",
  });
});

test("it runs in the folder of the manifests, without a shell, and finds a program there", async () => {
  writeFileSync(join(folder, "verify.sh"), '#!/bin/sh\necho "$PWD $1 $2"\n', { mode: 0o755 });
  expect(await ask(["./verify.sh", "$(id); `id` > x", "*"])).toEqual({
    verdict: "pass",
    detail: `the program ended with 0: ${folder} $(id); \`id\` > x *`,
  });
});

test("its environment says what is released and holds nothing else that up was started with", async () => {
  vi.stubEnv("DATABASE_PASSWORD", "hunter2");
  const { detail } = await shell("env | sort | tr '\\n' ' '");
  vi.unstubAllEnvs();
  expect(detail).not.toContain("hunter2");
  const told = await shell('echo "$KIRIKAE_RELEASE $KIRIKAE_TO $KIRIKAE_FROM $KIRIKAE_HOST $KIRIKAE_DURATION"');
  expect(told.detail).toBe("the program ended with 0: shop/to-green green blue app.shop.svc.cluster.local 300s");
});

describe("what it prints", () => {
  test("is one harmless line", async () => {
    expect((await shell(String.raw`printf 'first\nbad \033[31mred\033[0m \342\200\256evil\n\n'; exit 1`)).detail).toBe(
      "the program ended with 1: bad \uFFFD[31mred\uFFFD[0m \uFFFDevil",
    );
  });

  test("is cut, however much it is", async () => {
    const { detail, verdict } = await shell("head -c 50000000 /dev/zero | tr '\\0' x; exit 1");
    expect(verdict).toBe("fail");
    expect(detail.length).toBeLessThan(260);
  });
});

describe("a program that does not end", () => {
  test("is stopped after its time, with what it has started", async () => {
    const answer = await shell("sh -c 'trap \"\" TERM; echo $$ > stubborn; while :; do sleep 1; done' & wait", {
      timeoutMs: 500,
    });
    expect(answer).toEqual({ verdict: "unknown", detail: "the program did not end within 0.5 s" });
    expect(isRunning(await pidIn("stubborn"))).toBe(false);
  });

  test("is stopped when nobody waits for it any more", async () => {
    const stop = new AbortController();
    const asked = shell("echo $$ > forever; exec sleep 1000", { signal: stop.signal });
    const pid = await pidIn("forever");
    stop.abort();
    await asked;
    expect(isRunning(pid)).toBe(false);
  });
});

test("what a program that has ended leaves running is stopped, and not waited for", async () => {
  const begin = performance.now();
  const answer = await shell("sleep 1000 & echo $! > left; echo fine");
  expect(answer).toEqual({ verdict: "pass", detail: "the program ended with 0: fine" });
  expect(performance.now() - begin).toBeLessThan(9_000);
  expect(isRunning(await pidIn("left"))).toBe(false);
  expect(existsSync(join(folder, "left"))).toBe(true);
});
