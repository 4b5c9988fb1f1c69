import type { KirikaeError } from "../../core/diagnostics/error.ts";
import { isSilent, patienceMs, withSteps } from "../cluster-releases.ts";
import { type Answer, type CommandContext, printAnswer } from "../command.ts";
import { neutraliseLine } from "../neutralise.ts";
import { renderError } from "../print/error.ts";
import { renderRelease } from "../print/release.ts";
import { renderStatus, type StatusView } from "../print/status.ts";
import { reachMesh } from "../reach-mesh.ts";
import { readLeft } from "../reach-releases.ts";
import { isChosen, readStatus, type StatusChoice } from "../read-status.ts";
import type { StatusCommandOptions } from "./status.ts";

/** Shows the mesh once; of a cluster whose API server does not answer, what the journal of this machine knows. */
export async function runStatus(
  context: CommandContext,
  choice: StatusChoice,
  options: StatusCommandOptions,
): Promise<void> {
  try {
    const status = await look(context, choice);
    // What looks for a sentence in a pipe is to find it in one line.
    const columns = context.terminal.isInteractive ? context.terminal.columns : Number.POSITIVE_INFINITY;
    const text: Answer["text"] = (ink) =>
      renderStatus(status, { ink, columns, nowMs: Date.now(), isAboutOne: choice.name !== undefined });
    return printAnswer(context, { exitStatus: 0, data: status, text }, options);
  } catch (error) {
    const left = isSilent(error) ? await readUnseen(context, { choice, error }) : undefined;
    if (!isSilent(error) || left === undefined) throw error;
    context.terminal.note(renderError(error, context.terminal.noteInk));
    const text: Answer["text"] = (ink) =>
      [...left.releases.map((release) => renderRelease(release, ink)), ink.red(renderTrouble(left))].join("\n\n");
    return printAnswer(context, { exitStatus: 3, data: left, text }, options);
  }
}

async function look(context: CommandContext, choice: StatusChoice): Promise<StatusView> {
  await using mesh = await reachMesh(context, { access: "read", namespace: choice.namespace, patienceMs });
  const status = await readStatus(mesh.api, choice);
  if (status.clusterReleases === undefined) return status;
  return { ...status, clusterReleases: await withSteps(context, status.clusterReleases, choice.name) };
}

interface UnseenStatus {
  readonly choice: StatusChoice;
  readonly error: KirikaeError;
}

/** Releases that were begun from here, in the form of a status; undefined where none is what was asked for. */
async function readUnseen(context: CommandContext, { choice, error }: UnseenStatus): Promise<StatusView | undefined> {
  const all = await (await readLeft(context)).releases(choice.name === undefined ? { active: true } : {});
  const releases = all.filter((release) => isChosen(release, choice));
  if (releases.length === 0) return undefined;
  const contexts = (context.sites?.() ?? []).map((site) => site.context);
  return {
    gateways: [],
    services: [],
    proxies: [],
    workloads: [],
    inbound: [],
    callers: [],
    refusedManifests: [],
    additions: [],
    site: { context: contexts.join(", "), troubles: [error.message] },
    releases,
  };
}

function renderTrouble({ site }: StatusView): string {
  return `What is live cannot be seen: ${neutraliseLine((site?.troubles ?? []).join("; "))}`;
}
