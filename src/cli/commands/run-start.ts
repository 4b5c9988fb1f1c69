import { readManifests } from "../../local/manifest-folder.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import type { Ink } from "../ink.ts";
import { renderTimeWarnings } from "../print/time-rules.ts";
import { renderRelease } from "../print/release.ts";
import { findRunning, meshEnvironment } from "../reach-mesh.ts";
import { usageError } from "../usage-error.ts";
import { currentActor } from "./move-options.ts";
import type { StartOptions } from "./start.ts";

/**
 * Hands the Release to the running `up`, which plans it anew from what is live there; where none runs for a cluster, it
 * is carried out here.
 */
export async function runStart(context: CommandContext, file: string, options: StartOptions): Promise<void> {
  const sites = (context.sites?.() ?? []).map((site) => ({ ...site, namespace: options.namespace }));
  if (sites.length === 0 && options.namespace !== undefined) {
    throw usageError("start takes -n with --context only.", "A folder's Release says its namespace itself.");
  }
  const { sources } = await readManifests(file, { input: context.input });
  const [source, ...others] = sources;
  if (source === undefined || others.length > 0) {
    throw usageError(`${file} is a folder.`, "Name the file that holds the Release, or - for standard input.");
  }
  const { release, reason } = options;
  const actor = options.as ?? currentActor(context.env);
  const asked = { path: file, text: source.text, release, reason, actor };
  const api = await findRunning(meshEnvironment(context), sites.length === 0 ? "needed" : "wanted");
  if (api === undefined) {
    const { runStartHere } = await import("./run-start-here.ts");
    return await runStartHere(context, { sites, source: asked, options });
  }
  const status = await api.startRelease(asked);
  const text = (ink: Ink): string =>
    [renderRelease(status, ink), ...renderTimeWarnings(status.plan, Date.now(), ink)].join("\n");
  printAnswer(context, { exitStatus: 0, data: status, text }, options);
}
