import type { ClusterRelease } from "../../api/types.ts";
import type { SeenRelease } from "../../app/site/releases/watch-cluster-release.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { ClusterChanges } from "../print/cluster-changes.ts";
import { renderClusterRelease } from "../print/cluster-release.ts";
import { findWaitEnd } from "./find-wait-end.ts";
import type { WaitOptions } from "./wait.ts";

interface WaitInCluster {
  readonly found: Pick<ClusterRelease, "context" | "release">;
  readonly options: WaitOptions;
  /** Of the system's clock. */
  readonly deadlineMs: number;
}

/**
 * The same for a Release that a controller of a cluster carries out, by a watch. While the API server is lost the wait
 * goes on, and says so.
 */
export async function waitInCluster(
  context: CommandContext,
  { found, options, deadlineMs }: WaitInCluster,
): Promise<void> {
  const { terminal, env } = context;
  const site = (context.sites?.() ?? []).find((each) => each.context === found.context);
  if (site === undefined) throw new Error(`${found.context} was not named`);
  const { watchClusterRelease } = await import("../../app/site/releases/watch-cluster-release.ts");
  const pulse = new Pulse();
  await using watched = await watchClusterRelease(
    { site, release: found.release },
    {
      onChange: () => pulse.beat(),
      onTrouble: (message) => terminal.note(`${terminal.noteInk.yellow("warning")}  ${message}`),
    },
    env,
  );
  const changes = new ClusterChanges();
  for (;;) {
    const seen = watched.now();
    if (seen === undefined) throw deleted(found.release);
    if (terminal.isInteractive) {
      for (const line of changes.take([seen.release])) terminal.note(terminal.noteInk.dim(line));
    }
    const exitStatus = findClusterEnd(seen, options) ?? (Date.now() >= deadlineMs ? 4 : undefined);
    if (exitStatus !== undefined) {
      const { release } = seen;
      return printAnswer(
        context,
        { exitStatus, data: release, text: (ink) => renderClusterRelease(release, ink) },
        options,
      );
    }
    await pulse.next(deadlineMs - Date.now());
  }
}

/** What a Release says of the file that it had before is no answer. A refused one does not go on by itself either. */
export function findClusterEnd(
  { release, isCurrent }: SeenRelease,
  options: Pick<WaitOptions, "for">,
): 0 | 1 | undefined {
  if (!isCurrent) return undefined;
  return findWaitEnd({ phase: release.phase, isEndless: release.waitsUntil === null }, options.for);
}

/** Wakes whoever waits for the next change. */
class Pulse {
  #next = Promise.withResolvers<void>();

  beat(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** Resolves at the next beat, and after the time. */
  async next(atMostMs: number): Promise<void> {
    const timer = setTimeout(() => this.beat(), Math.min(Math.max(0, atMostMs), 2_147_483_647));
    await this.#next.promise;
    clearTimeout(timer);
  }
}

function deleted(release: string): KirikaeError {
  return new KirikaeError("KIR2035", `The Release ${release} has been deleted while it was waited for.`, {
    exitStatus: 1,
    hint: "What became of its weights is what its `whenDeleted` says.",
  });
}
