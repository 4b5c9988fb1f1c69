import { expect, test } from "vitest";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { unstarted } from "../core/release/state/advance-release.ts";
import type { StoredRelease } from "./fold-releases.ts";
import { StepRuns } from "./run-step.ts";
import { Turns } from "./turns.ts";

function createSteps(closing: AbortSignal): { readonly steps: StepRuns; readonly done: string[] } {
  const done: string[] = [];
  const clock = { nowMs: () => 0, sleep: () => Promise.resolve() };
  const steps = new StepRuns({
    host: { move: () => Promise.resolve(undefined) },
    clock,
    turns: new Turns(clock),
    closing,
    events: {
      get: () => {
        throw new Error("no step is to begin");
      },
      goOn: (id, { kind }) => void done.push(`${id} ${kind}`),
    },
    onWait: () => {},
    onDefect: (error) => void done.push(String(error)),
  });
  return { steps, done };
}

test("no step begins once it is closing, and nobody waits for one", async () => {
  const closing = new AbortController();
  const { steps, done } = createSteps(closing.signal);
  closing.abort();
  steps.begin("r1", {});
  await steps.idle();
  expect(steps.isRunning("r1")).toBe(false);
  expect(done).toEqual([]);
});

// What a step reads of a release.
const release = { id: "r1", plan: { release: "shop/r" }, state: unstarted } as unknown as StoredRelease;

test("what watches a step hears of its end, also where the journal cannot be written until everything closes", async () => {
  const closing = new AbortController();
  const clock = { nowMs: () => 0, sleep: async () => closing.abort() };
  const ended: string[] = [];
  const steps = new StepRuns({
    host: {
      move: () => Promise.reject(new KirikaeError("KIR2023", "the disk is full", { exitStatus: 3 })),
      watcher: {
        watch: () => async (outcome) => {
          ended.push(outcome);
          return {};
        },
      },
    },
    clock,
    turns: new Turns(clock),
    closing: closing.signal,
    events: {
      get: () => release,
      goOn: () => {
        throw new Error("nothing is to be written");
      },
    },
    onWait: () => {},
    onDefect: () => {},
  });
  steps.begin("r1", { build: () => undefined });
  await steps.idle();
  expect(ended).toEqual(["moveFailed"]);
});

test("no more steps move forward at a time than the host bears, and a way back waits for none of them", async () => {
  const begun: string[] = [];
  const waits: string[] = [];
  const ends = new Map<string, () => void>();
  const clock = { nowMs: () => 0, sleep: () => Promise.resolve() };
  const steps = new StepRuns({
    host: { move: () => Promise.resolve(undefined), mostForward: 2 },
    clock,
    turns: new Turns(clock),
    closing: new AbortController().signal,
    events: { get: () => release, goOn: () => {} },
    onWait: (id, text) => void waits.push(`${id}: ${text}`),
    onDefect: (error) => expect.unreachable(String(error)),
  });
  const begin = (id: string, isForward: boolean): void => {
    const before = () => {
      begun.push(id);
      return new Promise<void>((resolve) => void ends.set(id, resolve));
    };
    steps.begin(id, { before, ...(isForward && { isForward: true as const }) });
  };
  for (const id of ["one", "two", "three", "four"]) begin(id, true);
  await expect.poll(() => waits).toEqual(["three: others move first", "four: others move first"]);
  begin("back", false);
  await expect.poll(() => begun).toEqual(["one", "two", "back"]);
  ends.get("two")?.();
  await expect.poll(() => begun).toEqual(["one", "two", "back", "three"]);
  ends.get("one")?.();
  await expect.poll(() => begun).toContain("four");
  for (const end of ends.values()) end();
  await steps.idle();
});
