import { Option } from "commander";
import {
  createCommand,
  jsonOption,
  manifestNamespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export interface IgnoreOptions extends JsonOption {
  readonly for: "argo-cd" | "flux";
}

export interface GitFolderOptions extends JsonOption {
  readonly namespace?: string;
  /** A folder of live objects, as `kubectl get virtualservices -A -o yaml` prints them. */
  readonly live?: string;
}

export interface PatchOptions extends GitFolderOptions {
  readonly write?: true;
}

export function gitOpsCommand(context: CommandContext): Command {
  const gitOps = createCommand("gitops", "keep Argo CD and Flux from undoing a release, and bring git up to date");
  gitOps.addCommand(ignoreCommand(context));
  gitOps.addCommand(diffCommand(context));
  gitOps.addCommand(patchCommand(context));
  return gitOps;
}

function ignoreCommand(context: CommandContext): Command {
  return createCommand("ignore", "the settings that make Argo CD or Flux leave alone what kirikae writes")
    .argument("[name...]", "VirtualServices, as NAME or NAMESPACE/NAME; all of them where none is named")
    .addOption(new Option("--for <tool>", "whose settings").choices(["argo-cd", "flux"]).default("argo-cd"))
    .option(...jsonOption)
    .action(async (names: readonly string[], options: IgnoreOptions) => {
      const { runGitOpsIgnore } = await import("./run-gitops-ignore.ts");
      runGitOpsIgnore(context, names, options);
    });
}

function diffCommand(context: CommandContext): Command {
  return withFolder(
    createCommand("diff", "what a sync from git would undo, rule by rule; ends with 1 where it would"),
  ).action(async (folder: string, _options: unknown, command: Command) => {
    const { runGitOpsDiff } = await import("./run-gitops-diff.ts");
    await runGitOpsDiff(context, folder, command.optsWithGlobals<GitFolderOptions>());
  });
}

function patchCommand(context: CommandContext): Command {
  return withFolder(createCommand("patch", "the weights that are live as a patch of the files in git"))
    .option("--write", "write the files in the place of printing a patch for `git apply`")
    .action(async (folder: string, _options: unknown, command: Command) => {
      const { runGitOpsPatch } = await import("./run-gitops-patch.ts");
      await runGitOpsPatch(context, folder, command.optsWithGlobals<PatchOptions>());
    });
}

function withFolder(command: Command): Command {
  return command
    .argument("<folder>", "manifests as they are in git")
    .addOption(manifestNamespaceOption())
    .option("--live <folder>", "read live VirtualServices from files, in the place of a cluster")
    .option(...jsonOption);
}
