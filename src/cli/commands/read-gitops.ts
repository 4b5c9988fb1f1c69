import type { SiteObject } from "../../core/site/site-object.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { SourceText } from "../../core/manifest/manifest.ts";
import { type LiveService, readLiveServices } from "../../core/gitops/live-services.ts";
import { readObjects } from "../../core/gitops/read-objects.ts";
import { readManifests } from "../../local/manifest-folder.ts";
import type { CommandContext } from "../command.ts";
import type { GitFolderOptions } from "./gitops.ts";

/** Files of git, and what is live. */
export interface GitOpsInput {
  readonly sources: readonly SourceText[];
  readonly live: ReadonlyMap<string, LiveService>;
  readonly defaultNamespace: string;
}

/** @throws KirikaeError KIR4101 without a cluster to ask, KIR4100 for files without a VirtualService, and as the API does */
export async function readGitOps(
  context: CommandContext,
  folder: string,
  options: GitFolderOptions,
): Promise<GitOpsInput> {
  const { sources } = await readManifests(folder, { unreadable: "report" });
  if (!sources.some(({ text }) => text.includes("VirtualService"))) throw nothingToCompare(folder);
  const { objects, defaultNamespace } = await readLive(context, options);
  return {
    sources,
    live: readLiveServices(objects),
    defaultNamespace: options.namespace ?? defaultNamespace,
  };
}

async function readLive(
  { sites, env }: CommandContext,
  { live }: GitFolderOptions,
): Promise<{ readonly objects: readonly SiteObject[]; readonly defaultNamespace: string }> {
  if (live !== undefined) {
    const { sources } = await readManifests(live, { unreadable: "report" });
    return { objects: readObjects(sources), defaultNamespace: "default" };
  }
  const [site, another] = sites?.() ?? [];
  if (site === undefined) throw refuseClusters("No cluster is named to hold git against.");
  if (another !== undefined) throw refuseClusters("Git is held against one cluster at a time.");
  const { listVirtualServices } = await import("../../app/site/objects/list-virtual-services.ts");
  return listVirtualServices(site, env);
}

function nothingToCompare(folder: string): KirikaeError {
  return new KirikaeError("KIR4100", `There is no VirtualService in ${folder}.`, {
    exitStatus: 2,
    hint: "Name the folder or the file that holds the VirtualServices of git.",
  });
}

function refuseClusters(message: string): KirikaeError {
  return new KirikaeError("KIR4101", message, {
    exitStatus: 2,
    hint: "Name one with --context, or give its objects as files with --live.",
  });
}
