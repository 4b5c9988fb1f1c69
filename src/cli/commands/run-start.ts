import { readManifests } from "../../local/manifest-folder.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import type { Ink } from "../ink.ts";
import { renderTimeWarnings } from "../print/time-rules.ts";
import { renderRelease } from "../print/release.ts";
import { usageError } from "../usage-error.ts";
import { currentActor } from "./move-options.ts";
import type { StartOptions } from "./start.ts";

/** Hands the Release to the running `up`, which plans it anew from what is live there. */
export async function runStart(context: CommandContext, file: string, options: StartOptions): Promise<void> {
  const { sources } = await readManifests(file, { input: context.input });
  const [source, ...others] = sources;
  if (source === undefined || others.length > 0) {
    throw usageError(`${file} is a folder.`, "Name the file that holds the Release, or - for standard input.");
  }
  const { connect } = await import("../connect.ts");
  const api = await connect(context.env);
  const { release, reason } = options;
  const status = await api.startRelease({
    path: file,
    text: source.text,
    release,
    reason,
    actor: options.as ?? currentActor(context.env),
  });
  const text = (ink: Ink): string =>
    [renderRelease(status, ink), ...renderTimeWarnings(status.plan, Date.now(), ink)].join("\n");
  printAnswer(context, { exitStatus: 0, data: status, text }, options);
}
