import {
  createCommand,
  jsonOption,
  namespaceOption,
  printAnswer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export interface StatusCommandOptions extends JsonOption {
  readonly namespace?: string;
  readonly watch?: true;
}

export function statusCommand(context: CommandContext): Command {
  return createCommand("status", "which version is live, what could be, what releases do, and what the proxies say")
    .argument("[name]", "only this VirtualService, or this release and what it moves")
    .option(...namespaceOption)
    .option("-w, --watch", "keep showing it; in a pipe, a line for each change and each second of traffic")
    .option(...jsonOption)
    .action(async (name: string | undefined, options: StatusCommandOptions) => {
      if (options.watch === true) {
        const { watchStatus } = await import("./watch-status.ts");
        return watchStatus(context, { name, options });
      }
      const { reachMesh } = await import("../reach-mesh.ts");
      const { readStatus } = await import("../read-status.ts");
      const { renderStatus } = await import("../print/status.ts");
      await using mesh = await reachMesh(context, { access: "read", namespace: options.namespace });
      const { listClusterReleases, withSteps } = await import("../cluster-releases.ts");
      const isSite = (context.sites?.() ?? []).length > 0;
      const listed = isSite ? await listClusterReleases(context, options.namespace) : undefined;
      const ofCluster = listed && (await withSteps(context, listed, name));
      const status = await readStatus(mesh.api, { name, namespace: options.namespace }, ofCluster);
      // What looks for a sentence in a pipe is to find it in one line.
      const columns = context.terminal.isInteractive ? context.terminal.columns : Number.POSITIVE_INFINITY;
      const text: Parameters<typeof printAnswer>[1]["text"] = (ink) =>
        renderStatus(status, { ink, columns, nowMs: Date.now(), isAboutOne: name !== undefined });
      return printAnswer(context, { exitStatus: 0, data: status, text }, options);
    });
}
