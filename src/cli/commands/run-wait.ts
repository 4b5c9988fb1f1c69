import { setTimeout as delay } from "node:timers/promises";
import type { ReleaseStatus } from "../../api/types.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { meshEnvironment } from "../reach-mesh.ts";
import { renderRelease } from "../print/release.ts";
import { ReleaseChanges } from "../print/release-changes.ts";
import type { WaitGoal, WaitOptions } from "./wait.ts";

const pollMs = 250;

/**
 * Exit status 0 once the goal is reached, 1 when the release came to another end first, and 4 when the time was over. The
 * last state is printed in each case. On a terminal each change is told while it happens, beside the answer.
 */
export async function runWait(context: CommandContext, name: string, options: WaitOptions): Promise<void> {
  const { connect } = await import("../connect.ts");
  const api = await connect(meshEnvironment(context));
  const deadlineMs = Date.now() + options.timeout;
  let status = await api.release(name, { namespace: options.namespace, live: false });
  const changes = new ReleaseChanges();
  for (;;) {
    if (context.terminal.isInteractive) {
      for (const line of changes.take([status])) context.terminal.note(context.terminal.noteInk.dim(line));
    }
    const isReached = reaches(status, options.for);
    if (isReached || hasStopped(status) || Date.now() >= deadlineMs) {
      const exitStatus = isReached ? 0 : hasStopped(status) ? 1 : 4;
      return printAnswer(context, { exitStatus, data: status, text: (ink) => renderRelease(status, ink) }, options);
    }
    await delay(Math.max(0, Math.min(pollMs, deadlineMs - Date.now())));
    status = await api.release(status.release, { live: false });
  }
}

function reaches({ phase, untilMs }: ReleaseStatus, goal: WaitGoal): boolean {
  switch (goal) {
    case "done":
      return phase === "done";
    case "failed":
      return phase === "failed";
    case "paused":
      return phase === "paused" || phase === "awaiting" || (phase === "holding" && untilMs === null);
  }
}

/** What does not go on by itself, or not at all: a failed release waits for a person. */
function hasStopped({ phase }: ReleaseStatus): boolean {
  return phase === "done" || phase === "aborted" || phase === "rolledBack" || phase === "failed";
}
