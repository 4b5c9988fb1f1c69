import type { ApiClient } from "../api/client.ts";
import { listReleases } from "../api/list-releases.ts";
import type { ReleaseStatus } from "../api/types.ts";
import { findRelease } from "../core/release/describe/find-release.ts";
import type { CommandContext } from "./command.ts";
import { findRunning, meshEnvironment } from "./reach-mesh.ts";

/** Who knows the releases that were begun from this machine. */
export type ReleaseReader = Pick<ApiClient, "releases" | "release">;

/**
 * The running `up`, or for clusters where none runs the journal, which needs no cluster. Throws KIR5050 where nothing runs
 * on this machine, and what a journal that cannot be read throws.
 */
export async function reachReleases(context: CommandContext): Promise<ReleaseReader> {
  const isSite = (context.sites?.() ?? []).length > 0;
  const running = await findRunning(meshEnvironment(context), isSite ? "wanted" : "needed");
  return running ?? (await readLeft(context));
}

/** The journal of the named clusters, as it is now. */
export async function readLeft({ sites, env }: CommandContext): Promise<ReleaseReader> {
  const { readLeftReleases } = await import("../app/site/left-releases.ts");
  const contexts = (sites?.() ?? []).map(({ context }) => context);
  const left = readLeftReleases(env, contexts);
  const source = { list: () => left, look: async () => new Map<string, never>() };
  const find = (name: string, namespace: string | undefined): ReleaseStatus =>
    findRelease(left, { name, namespace }, ({ release }) => release);
  return {
    releases: (query = {}) => listReleases(source, query),
    release: async (name, { namespace } = {}) => find(name, namespace),
  };
}
