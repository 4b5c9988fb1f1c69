import { constants } from "node:os";
import type { ReleaseSource, ReleaseStatus } from "../../api/types.ts";
import type { SiteOptions } from "../../app/site/connection/site-options.ts";
import { isOver } from "../../core/release/state/release-phase.ts";
import { type CommandContext, printAnswer } from "../command.ts";
import { connect } from "../connect.ts";
import { renderRelease } from "../print/release.ts";
import { tellOfFailed, tellOfLeft } from "../print/left-release.ts";
import { meshEnvironment } from "../reach-mesh.ts";
import { followRelease, noteEvent } from "./follow-release.ts";
import type { StartOptions } from "./start.ts";

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
  const ended = await followRelease(context, {
    api,
    release,
    signal: stop.signal,
    isEnd: context.terminal.isInteractive ? isEndForPerson : isEndForScript,
  });
  if (ended === undefined) return context.terminal.note(tellOfLeft(release, sites));
  const exitStatus = ended.phase === "done" ? 0 : 1;
  printAnswer(context, { exitStatus, data: ended, text: (ink) => renderRelease(ended, ink) }, options);
  if (ended.phase === "failed") context.terminal.note(tellOfFailed(release, sites));
}

/** One that waits for a person can be told to go on from another terminal. */
function isEndForPerson({ phase }: ReleaseStatus): boolean {
  return isOver({ kind: phase });
}

/** A script is told of a failure at once. */
function isEndForScript(status: ReleaseStatus): boolean {
  return status.phase === "failed" || isEndForPerson(status);
}
