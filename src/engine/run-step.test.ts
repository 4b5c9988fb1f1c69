import { expect, test } from "vitest";
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
