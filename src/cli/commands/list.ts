import { usageError } from "../usage-error.ts";
import {
  createCommand,
  jsonOption,
  namespaceOption,
  printAnswer,
  type Answer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

interface ListOptions extends JsonOption {
  readonly namespace?: string;
  readonly active?: true;
  readonly limit: number;
}

export function listCommand(context: CommandContext): Command {
  return createCommand("list", "the releases that were started, newest first; of one, what happened and who did what")
    .argument("[name]", "only the newest release of this name")
    .option("--active", "only those that have not ended")
    .option("--limit <count>", "how many at most, up to 500", parseLimit, 100)
    .option(...namespaceOption)
    .option(...jsonOption)
    .action(async (name: string | undefined, options: ListOptions) => {
      const { reachReleases } = await import("../reach-releases.ts");
      const api = await reachReleases(context);
      const { isQuiet } = await import("../../app/site/releases/cluster-release.ts");
      const { findClusterRelease, isSucceeded, listClusterReleases, orFromCluster } =
        await import("../cluster-releases.ts");
      const { cellsOf } = await import("../print/cluster-release.ts");
      const { renderReleases, renderReleaseStory } = await import("../print/release.ts");
      if (name === undefined) {
        const releases = await api.releases({ limit: options.limit, active: options.active });
        const listed = (await listClusterReleases(context, options.namespace)).filter(
          (release) => options.active !== true || !isQuiet(release),
        );
        const ofCluster = listed.slice(0, options.limit);
        const text: Answer["text"] = (ink) => {
          const others = ofCluster.map((release) => cellsOf(release, ink));
          return renderReleases(releases, ink, others);
        };
        return printAnswer(context, { exitStatus: 0, data: [...releases, ...ofCluster], text }, options);
      }
      const found = await orFromCluster(() => api.release(name, { namespace: options.namespace, live: false }), {
        unknown: ["KIR2035"],
        isPast: (own) => isSucceeded(context, own),
        ask: async () => (await findClusterRelease(context, { name, namespace: options.namespace }))?.story?.status,
      });
      return printAnswer(
        context,
        { exitStatus: 0, data: found, text: (ink) => renderReleaseStory(found, ink) },
        options,
      );
    });
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d{1,3}$/u.test(text) && limit >= 1 && limit <= 500) return limit;
  throw usageError(`"${text}" is no number from 1 to 500.`);
}
