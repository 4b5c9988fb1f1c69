import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "../../api/client.ts";
import type { ReleaseSource, ReleaseStatus } from "../../api/types.ts";
import type { UpEvent } from "../../app-types.ts";
import type { SiteOptions } from "../../app/site/connection/site-options.ts";
import { type CommandContext, printAnswer } from "../command.ts";
import { connect } from "../connect.ts";
import { renderRelease } from "../print/release.ts";
import { ReleaseChanges } from "../print/release-changes.ts";
import { meshEnvironment } from "../reach-mesh.ts";
import type { StartOptions } from "./start.ts";

const pollMs = 250;

interface Start {
  readonly sites: readonly SiteOptions[];
  readonly source: ReleaseSource;
  readonly options: StartOptions;
}

/**
 * Carries a release out in this process, because no `up` runs for its cluster: like `up`, so that other terminals can see
 * it and give it orders, and only until it has ended. Exit status 0 where it is done, 1 where it came to another end, and
 * that of the signal where one was sent: the release then stays where it is, for the next `up`.
 */
export async function runStartHere(context: CommandContext, { sites, source, options }: Start): Promise<void> {
  const [site, ...others] = sites;
  if (site === undefined) throw new Error("Without a cluster something has to run.");
  const { upSite } = await import("../../app/site/up-site.ts");
  const stop = new AbortController();
  using stopListening = context.onStop((signal) => {
    context.terminal.note(`${signal}: the step under way goes to its end, and no other begins.`);
    context.finish(128 + constants.signals[signal]);
    stop.abort();
  });
  await using running = await upSite(
    {
      sites: [site, ...others],
      actor: source.actor,
      allowsCommands: false,
      folder: process.cwd(),
      onEvent: (event) => noteEvent(context, event),
    },
    context.env,
  );
  const api = await connect(meshEnvironment(context));
  const { release } = await api.startRelease(source);
  const ended = await follow(context, { api, release, signal: stop.signal });
  if (ended === undefined) {
    context.terminal.note(
      `${release} stays where it is; \`kirikae up ${sites.map(({ context: name }) => `--context ${name}`).join(" ")}\` goes on with it.`,
    );
    return;
  }
  const exitStatus = ended.phase === "done" ? 0 : 1;
  printAnswer(context, { exitStatus, data: ended, text: (ink) => renderRelease(ended, ink) }, options);
}

interface Followed {
  readonly api: ApiClient;
  /** `namespace/name`. */
  readonly release: string;
  readonly signal: AbortSignal;
}

/** Tells each change until the release has ended; undefined where a signal came first. */
async function follow(
  { terminal }: CommandContext,
  { api, release, signal }: Followed,
): Promise<ReleaseStatus | undefined> {
  const changes = new ReleaseChanges();
  while (!signal.aborted) {
    const status = await api.release(release, { live: false });
    for (const line of changes.take([status])) terminal.note(terminal.noteInk.dim(line));
    if (isOver(status) || (status.phase === "failed" && !terminal.isInteractive)) return status;
    await delay(pollMs);
  }
  return undefined;
}

/** One that waits for a person can be told to go on from another terminal; a script is told of a failure at once. */
function isOver({ phase }: ReleaseStatus): boolean {
  return phase === "done" || phase === "aborted" || phase === "rolledBack";
}

function noteEvent({ terminal }: CommandContext, event: UpEvent): void {
  if (event.kind === "warning") terminal.note(`${terminal.noteInk.yellow("warning")}  ${event.message}`);
  if (event.kind === "notice") terminal.note(event.line);
}
