import { setTimeout as delay } from "node:timers/promises";
import type { ClusterRelease, ReleaseStatus } from "../../api/types.ts";
import { findClusterRelease, isSucceeded, orFromCluster } from "../cluster-releases.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { tellOfIdle } from "../print/left-release.ts";
import { renderRelease } from "../print/release.ts";
import { ReleaseChanges } from "../print/release-changes.ts";
import { findRunning, meshEnvironment } from "../reach-mesh.ts";
import { reachReleases } from "../reach-releases.ts";
import { findWaitEnd } from "./find-wait-end.ts";
import { isAtRest } from "./plan-order.ts";
import type { WaitOptions } from "./wait.ts";

const pollMs = 250;

/**
 * Exit status 0 once the goal is reached, 1 when the release came to another end first, and 4 when the time was over. The
 * last state is printed in each case. On a terminal each change is told while it happens, beside the answer.
 */
export async function runWait(context: CommandContext, name: string, options: WaitOptions): Promise<void> {
  const deadlineMs = Date.now() + options.timeout;
  const look = await createLook(context, options);
  const found = await orFromCluster<Found>(async () => ({ kind: "own", status: await look(name) }), {
    unknown: ["KIR2035"],
    isPast: async (own) => own.kind === "own" && (await isSucceeded(context, own.status)),
    ask: async () => {
      const summary = (await findClusterRelease(context, { name, namespace: options.namespace }))?.summary;
      return summary === undefined ? undefined : { kind: "ofCluster", release: summary };
    },
  });
  if (found.kind === "ofCluster") {
    const { waitInCluster } = await import("./wait-in-cluster.ts");
    return await waitInCluster(context, { found: found.release, options, deadlineMs });
  }
  let { status } = found;
  await noteIdle(context, status);
  const changes = new ReleaseChanges();
  for (;;) {
    if (context.terminal.isInteractive) {
      for (const line of changes.take([status])) context.terminal.note(context.terminal.noteInk.dim(line));
    }
    const end = findWaitEnd({ phase: status.phase, isEndless: status.untilMs === null }, options.for);
    const exitStatus = end ?? (Date.now() >= deadlineMs ? 4 : undefined);
    if (exitStatus !== undefined) {
      return printAnswer(context, { exitStatus, data: status, text: (ink) => renderRelease(status, ink) }, options);
    }
    await delay(Math.max(0, Math.min(pollMs, deadlineMs - Date.now())));
    status = await look(status.release);
  }
}

/** Somebody may begin to carry it out while it is waited for; until then nothing comes of the wait. */
async function noteIdle(context: CommandContext, status: ReleaseStatus): Promise<void> {
  const sites = context.sites?.() ?? [];
  if (sites.length === 0 || isAtRest(status)) return;
  if ((await findRunning(meshEnvironment(context), "wanted")) !== undefined) return;
  context.terminal.note(tellOfIdle(status.release, sites));
}

type Found =
  | { readonly kind: "own"; readonly status: ReleaseStatus }
  | { readonly kind: "ofCluster"; readonly release: ClusterRelease };

/** Who carries out a release of a cluster may begin and end meanwhile, and its journal is there all the time. */
async function createLook(
  context: CommandContext,
  { namespace }: Pick<WaitOptions, "namespace">,
): Promise<(name: string) => Promise<ReleaseStatus>> {
  const isSite = (context.sites?.() ?? []).length > 0;
  const running = isSite ? undefined : await reachReleases(context);
  return async (name) => (running ?? (await reachReleases(context))).release(name, { namespace, live: false });
}
