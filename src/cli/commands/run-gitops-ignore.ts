import { buildIgnoreSettings, type NamedService, renderIgnoreSettings } from "../../core/gitops/ignore-settings.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import type { IgnoreOptions } from "./gitops.ts";

/** Prints settings, and asks no cluster. */
export function runGitOpsIgnore(context: CommandContext, names: readonly string[], options: IgnoreOptions): void {
  const settings = buildIgnoreSettings(options.for, names.map(readName));
  const data = settings.map(({ why, object }) => ({ why, object }));
  printAnswer(context, { exitStatus: 0, data, text: () => renderIgnoreSettings(settings).trimEnd() }, options);
}

function readName(text: string): NamedService {
  const [first = "", second] = text.split("/");
  return second === undefined ? { namespace: undefined, name: first } : { namespace: first, name: second };
}
