import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "../../api/client.ts";
import type { ReleaseStatus } from "../../api/types.ts";
import type { UpEvent } from "../../app-types.ts";
import type { CommandContext } from "../command.ts";
import { ReleaseChanges } from "../print/release-changes.ts";

const pollMs = 250;

export interface Followed {
  readonly api: ApiClient;
  /** `namespace/name`. */
  readonly release: string;
  readonly signal: AbortSignal;
  readonly isEnd: (status: ReleaseStatus) => boolean;
  /** What was told already. */
  readonly changes?: ReleaseChanges;
}

/** Tells each change of a release on stderr until it has come to an end; undefined where a signal came first. */
export async function followRelease(
  { terminal }: Pick<CommandContext, "terminal">,
  { api, release, signal, isEnd, changes = new ReleaseChanges() }: Followed,
): Promise<ReleaseStatus | undefined> {
  while (!signal.aborted) {
    const status = await api.release(release, { live: false });
    for (const line of changes.take([status])) terminal.note(terminal.noteInk.dim(line));
    if (isEnd(status)) return status;
    await delay(pollMs);
  }
  return undefined;
}

/** What happens beside the release that is followed. */
export function noteEvent({ terminal }: Pick<CommandContext, "terminal">, event: UpEvent): void {
  if (event.kind === "warning") terminal.note(`${terminal.noteInk.yellow("warning")}  ${event.message}`);
  if (event.kind === "notice") terminal.note(event.line);
}
