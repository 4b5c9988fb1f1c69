import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { ReleaseProcess } from "./release-process.fixture.ts";

/** `npm run soak` asks for more. */
const releases = Number(process.env["KIRIKAE_LONG_RELEASES"] ?? 10);

// Ten moves there, with what each of them waits for, and one back.
const strategy = `{steps: [${[10, 20, 30, 40, 50, 60, 70, 80, 90]
  .map((weight) => `{weight: ${weight}}, {hold: 1ms}`)
  .join(", ")}, {switch: {}}]}`;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes in use once nothing else can be let go. */
function heapInUse(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

test(
  `${releases} releases one after the other leave nothing behind but what they have written down`,
  { timeout: 60_000 + releases * 3_000 },
  async () => {
    const mesh = new ReleaseProcess();
    const oneRelease = async (): Promise<void> => {
      mesh.start(strategy);
      await vi.waitFor(() => expect(mesh.releases.get("shop/r").phase).toBe("done"), 20_000);
      mesh.order("rollback");
      await vi.waitFor(() => expect(mesh.releases.get("shop/r").phase).toBe("rolledBack"), 20_000);
    };
    for (let count = 0; count < 5; count += 1) await oneRelease();
    const before = { heap: heapInUse(), timers: timers() };
    for (let count = 0; count < releases; count += 1) await oneRelease();
    const after = { heap: heapInUse(), timers: timers() };
    expect(after.timers).toBeLessThanOrEqual(before.timers);
    // Its history is kept, about 80 kB of it, and 90 kB in the journal: eleven moves with all that they were planned on.
    expect((after.heap - before.heap) / releases).toBeLessThan(200_000);
    await mesh[Symbol.asyncDispose]();
  },
);
