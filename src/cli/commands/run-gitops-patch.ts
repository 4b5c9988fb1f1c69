import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { type GitPatch, planPatch } from "../../core/gitops/plan-patch.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import type { PatchOptions } from "./gitops.ts";
import { readGitOps } from "./read-gitops.ts";

/**
 * Prints a patch for `git apply`, or writes the files. What a person has to do is told beside it, and makes the command
 * end with 1. Throws as `readGitOps` does.
 */
export async function runGitOpsPatch(context: CommandContext, folder: string, options: PatchOptions): Promise<void> {
  const root = findRoot(resolve(folder));
  const input = await readGitOps(context, folder, options);
  const patch = planPatch({ ...input, relative: (path) => relative(root, resolve(path)) });
  if (options.write === true) for (const { file, text } of patch.files) await writeFile(file, text);
  const answer = {
    exitStatus: patch.left.length > 0 ? (1 as const) : (0 as const),
    data: {
      written: options.write === true,
      files: patch.files.map(({ file, rules, patch: text }) => ({ file, rules, patch: text })),
      left: patch.left,
    },
    text: () =>
      options.write === true
        ? renderWritten(patch)
        : patch.files
            .map((file) => file.patch)
            .join("")
            .trimEnd(),
  };
  printAnswer(context, answer, options);
  if (options.json === true) return;
  for (const { file, why } of patch.left) context.terminal.note(`${file} is left to you: ${why}.`);
  if (patch.files.length === 0) context.terminal.note("No file has other weights than those that are live.");
}

function renderWritten({ files }: GitPatch): string {
  return files.map(({ file, rules }) => `${file}: ${rules.join(", ")}`).join("\n");
}

/** The working tree that the folder is in, because `git apply` counts from there; else where the command runs. */
function findRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (at === dirname(at)) return process.cwd();
  }
}
