import { compareServices, type GitDiff, wouldUndo } from "../../core/gitops/compare-services.ts";
import { readGitServices } from "../../core/gitops/git-services.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { renderGitDiff } from "../print/git-diff.ts";
import type { GitFolderOptions } from "./gitops.ts";
import { readGitOps } from "./read-gitops.ts";

/** Ends with 1 where a sync from git would change what requests meet. Throws as `readGitOps` does. */
export async function runGitOpsDiff(context: CommandContext, folder: string, options: GitFolderOptions): Promise<void> {
  const { sources, live, defaultNamespace } = await readGitOps(context, folder, options);
  const diff: GitDiff = compareServices(readGitServices(sources, defaultNamespace), live);
  const undoes = wouldUndo(diff);
  const answer = {
    exitStatus: undoes ? (1 as const) : (0 as const),
    data: { wouldUndo: undoes, ...diff },
    text: renderGitDiff(diff),
  };
  printAnswer(context, answer, options);
}
