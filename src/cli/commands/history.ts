import {
  createCommand,
  jsonOption,
  printAnswer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export function historyCommand(context: CommandContext): Command {
  return createCommand(
    "history",
    "who did what, when, why, and how it ended: moves and releases; needs nothing running",
  )
    .argument("[name]", "only this VirtualService or this release, as name or namespace/name")
    .option(...jsonOption)
    .action(async (name: string | undefined, options: JsonOption) => {
      const { meshEnvironment } = await import("../reach-mesh.ts");
      const { readHistory } = await import("../read-history.ts");
      const { findClusterRelease, orFromCluster } = await import("../cluster-releases.ts");
      const entries = await orFromCluster(() => readHistory(meshEnvironment(context), name), {
        // Where nothing was ever moved from here there is no journal.
        unknown: ["KIR5060", "KIR2023"],
        ask: async () =>
          name === undefined ? undefined : (await findClusterRelease(context, { name }))?.story?.timeline,
      });
      const { renderHistory } = await import("../print/history.ts");
      printAnswer(context, { exitStatus: 0, data: entries, text: (ink) => renderHistory(entries, ink) }, options);
    });
}
