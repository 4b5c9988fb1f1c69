import type { ClusterRelease, ReleaseStatus } from "../api/types.ts";
import type { ReleaseName } from "../core/release/describe/find-release.ts";
import type { ClusterReleases, FoundClusterRelease } from "../app/site/releases/open-cluster-releases.ts";
import { isCalled } from "../core/release/move/is-called.ts";
import { isOver } from "../core/release/state/release-phase.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { CommandContext } from "./command.ts";
import { neutraliseLine } from "./neutralise.ts";
import { noteUnseen } from "./print/unseen.ts";

/** An API server that stands still is waited for so long, and no longer: what is known otherwise is wanted too. */
export const patienceMs = 5_000;

/**
 * The Releases that controllers of the named clusters carry out, newest first in each; none without --context. What may
 * not be seen is said on stderr.
 */
export async function listClusterReleases(
  context: CommandContext,
  namespace: string | undefined,
): Promise<readonly ClusterRelease[]> {
  const options = { namespace, onUnreachable: noteSilence(context) };
  const all = await lookAtEach(context, options, (releases) => Promise.resolve(releases));
  for (const { unseen } of all) noteUnseen(unseen, context.terminal);
  const listed = all.flatMap(({ releases }) => releases);
  return namespace === undefined ? listed : listed.filter(({ release }) => release.startsWith(`${namespace}/`));
}

/** In one line, whatever the error says. */
function noteSilence({ terminal }: CommandContext): (error: KirikaeError) => void {
  return ({ message }) => terminal.note(neutraliseLine(`The cluster's own Releases cannot be seen: ${message}`));
}

/** The first of that name in the named clusters; undefined where none has one, and without --context. */
export async function findClusterRelease(
  context: CommandContext,
  name: ReleaseName,
): Promise<FoundClusterRelease | undefined> {
  const found = await lookAtEach(context, { namespace: name.namespace }, (releases) => releases.find(name));
  return found.find((each) => each !== undefined);
}

/** The same with the steps of those that the name may be about, where the cluster can be asked for them. */
export async function withSteps(
  context: CommandContext,
  releases: readonly ClusterRelease[],
  name: string | undefined,
): Promise<readonly ClusterRelease[]> {
  const named = name === undefined ? [] : releases.filter(({ release }) => isCalled(release, name));
  if (named.length === 0) return releases;
  const whole = await lookAtEach(context, { onUnreachable: noteSilence(context) }, async (cluster) => {
    const own = named.filter(({ context: of }) => of === cluster.context);
    return await Promise.all(own.map(({ release }) => cluster.find({ name: release })));
  });
  const found = whole.flat().flatMap((each) => each?.summary ?? []);
  return releases.map(
    (one) => found.find(({ context: of, release }) => of === one.context && release === one.release) ?? one,
  );
}

/** What a command finds of a name here, and what it asks of the cluster. */
interface Lookup<Result> {
  /** Codes that say that nothing is called so here. */
  readonly unknown: readonly string[];
  /** Whether the name now means what the cluster has, as `isSucceeded` says it. */
  readonly isPast?: (own: Result) => Promise<boolean>;
  readonly ask: () => Promise<Result | undefined>;
}

/** What is in the cluster is asked where nothing is called so here, or what is called so here is past. */
export async function orFromCluster<Result>(
  read: () => Promise<Result>,
  { unknown, isPast, ask }: Lookup<Result>,
): Promise<Result> {
  let own: Result;
  try {
    own = await read();
  } catch (error) {
    if (!(error instanceof KirikaeError) || !unknown.includes(error.code)) throw error;
    const found = await ask();
    if (found === undefined) throw error;
    return found;
  }
  if (isPast === undefined || !(await isPast(own))) return own;
  return (await ask()) ?? own;
}

/**
 * Whether a Release that a controller carries out is meant by the name of a release that was begun from here, because that
 * one is over, and the other is not, or has begun later. Where the cluster cannot be asked it is not, and stderr says so.
 */
export async function isSucceeded(
  context: CommandContext,
  { release, phase, startedAt }: Pick<ReleaseStatus, "release" | "phase" | "startedAt">,
): Promise<boolean> {
  if (!isOver({ kind: phase })) return false;
  const { isQuiet } = await import("../app/site/releases/cluster-release.ts");
  try {
    const found = (await findClusterRelease(context, { name: release }))?.summary;
    if (found === undefined) return false;
    return !isQuiet(found) || found.startedAt === null || Date.parse(found.startedAt) > Date.parse(startedAt);
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    noteSilence(context)(error);
    return false;
  }
}

interface LookOptions {
  readonly namespace?: string | undefined;
  readonly onUnreachable?: (error: KirikaeError) => void;
}

/** Throws where an API server does not answer, unless somebody is to be told of it instead. */
export async function lookAtEach<Result>(
  { sites, env }: CommandContext,
  { onUnreachable, namespace }: LookOptions,
  look: (releases: ClusterReleases) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = (sites?.() ?? []).map(async (site): Promise<readonly Result[]> => {
    const { openClusterReleases } = await import("../app/site/releases/open-cluster-releases.ts");
    await using stack = new AsyncDisposableStack();
    const asked = { ...site, timeoutMs: patienceMs, ...(namespace !== undefined && { namespace }) };
    try {
      return [await look(await openClusterReleases(asked, env, stack))];
    } catch (error) {
      if (onUnreachable === undefined || !isSilent(error)) throw error;
      onUnreachable(error);
      return [];
    }
  });
  return (await Promise.all(results)).flat();
}

/** The API server gave no answer, which says nothing about what it has. */
export function isSilent(error: unknown): error is KirikaeError {
  return error instanceof KirikaeError && error.code === "KIR4004";
}
