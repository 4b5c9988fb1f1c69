import { applySuppressions } from "../core/diagnostics/apply-suppressions.ts";
import type { Diagnostic } from "../core/diagnostics/diagnostic.ts";
import { readIgnoreAnnotations } from "../core/manifest/read-ignore-annotations.ts";
import { byPlace } from "../core/mesh-model.ts";
import type { SiteOptions } from "../app/site/connection/site-options.ts";
import type { CommandContext } from "./command.ts";
import { type LoadedMesh, loadMesh } from "./load-mesh.ts";
import { noteOutOfSync } from "./print/out-of-sync.ts";
import { noteUnseen } from "./print/unseen.ts";
import { chosenSite } from "./reach-mesh.ts";
import { createSourceLines } from "./source-lines.ts";
import { usageError } from "./usage-error.ts";

interface LoadChoice {
  /** Says which proxies are not in sync. */
  readonly withProxies?: boolean;
  /** Undefined where none was asked for. */
  readonly namespace: string | undefined;
}

/** The manifests that are named, or the objects of the cluster that --context names. Throws KIR5057 for both, or none. */
export async function loadChosen(
  context: CommandContext,
  paths: readonly string[],
  { namespace, withProxies }: LoadChoice,
): Promise<LoadedMesh> {
  const site = chosenSite(context);
  if (site === undefined) {
    if (paths.length === 0) throw usageError("Missing required argument 'path'.");
    return await loadMesh(paths, { defaultNamespace: namespace ?? "default", input: context.input });
  }
  if (paths.length > 0) {
    throw usageError("--context reads the live objects, and no files.", "Leave out the files, or --context.");
  }
  return await loadLive(context, { ...site, namespace }, withProxies);
}

/** The objects of a cluster, with findings about those of one namespace where one was asked for. */
export async function loadLive(context: CommandContext, site: SiteOptions, withProxies = false): Promise<LoadedMesh> {
  const { readSite } = await import("../app/site/read-site.ts");
  const { mesh, model, sources, proxies, unseen, defaultNamespace } = await readSite(site, context.env, {
    withProxies,
  });
  noteUnseen(unseen, context.terminal);
  if (proxies !== undefined) noteOutOfSync(proxies, context.terminal);
  const annotations = readIgnoreAnnotations(sources, { defaultNamespace });
  const { shown, suppressed } = applySuppressions(model.diagnostics, annotations);
  const chosen = shown.filter((found) => isIn(found, site.namespace));
  return {
    mesh: model.mesh,
    table: model.table,
    diagnostics: chosen.toSorted(byPlace).map(withoutLine),
    suppressed,
    fileCount: sources.filter(({ path }) => !path.startsWith("Secret ")).length,
    from: "objects",
    site: mesh,
    lines: createSourceLines([]),
  };
}

function isIn({ resource }: Diagnostic, namespace: string | undefined): boolean {
  if (namespace === undefined || resource === undefined) return true;
  return resource.split(" ")[1]?.startsWith(`${namespace}/`) === true;
}

/** The line in a text that nobody has is no place to go to. */
function withoutLine(found: Diagnostic): Diagnostic {
  if (found.at?.field === undefined) return found;
  return { ...found, at: { ...found.at, line: 1, column: 1 } };
}
