import { userInfo } from "node:os";
import { dirname } from "node:path";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { isNamed, objectName, type ReleaseManifest } from "../../core/manifest/manifest.ts";
import { planRelease } from "../../core/release/plan-release.ts";
import { renderList } from "../../core/release/refusals.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { type LoadedMesh, loadMesh, noteErrors } from "../load-mesh.ts";
import { renderReleasePlan } from "../print/release-plan.ts";
import type { PlanOptions } from "./plan.ts";

interface PlanTarget {
  readonly file: string;
  readonly paths: readonly string[];
}

/** Plans from the weights that the manifests declare. What cannot be understood in them makes the answer no. */
export async function runPlan(context: CommandContext, target: PlanTarget, options: PlanOptions): Promise<void> {
  const loaded = await loadMesh(sourcesOf(target), { defaultNamespace: options.namespace, input: context.input });
  const errors = noteErrors(loaded, context.terminal);
  const release = findRelease(loaded, target, options.release);
  const planning = planRelease({ table: loaded.table, current: new Map(), release, actor: userInfo().username });
  if (planning.kind === "refused") throw planning.error;
  const { plan } = planning;
  const exitStatus = errors === 0 ? 0 : 1;
  printAnswer(context, { exitStatus, data: plan, text: (ink) => renderReleasePlan(plan, ink) }, options);
}

function sourcesOf({ file, paths }: PlanTarget): readonly string[] {
  if (paths.length > 0) return [file, ...paths];
  return file === "-" ? [file] : [dirname(file)];
}

function findRelease(
  { mesh, diagnostics }: LoadedMesh,
  { file }: PlanTarget,
  wanted: string | undefined,
): ReleaseManifest {
  const isOfFile = (path: string): boolean => file === "-" || path === file || path.endsWith(`/${file}`);
  const all = mesh.manifests.filter((manifest) => manifest.kind === "Release");
  const inFile = all.filter(({ at }) => isOfFile(at.file));
  const named = wanted === undefined ? inFile : inFile.filter((release) => isNamed(release, wanted));
  const [release, ...others] = named;
  const known = inFile.map(objectName);
  if (release === undefined) {
    // A Release with an error is no manifest that could be planned, and yet the file holds one.
    const isBroken = diagnostics.some(({ level, at }) => level === "error" && at !== undefined && isOfFile(at.file));
    const what = `Release${wanted === undefined ? "" : ` ${wanted}`}`;
    throw new KirikaeError(
      "KIR2032",
      isBroken ? `${file} holds no ${what} that is without errors.` : `${file} holds no ${what}.`,
      {
        exitStatus: 2,
        hint:
          known.length === 0
            ? isBroken
              ? `\`kirikae check ${file}\` shows all of them.`
              : "A Release is an object of kirikae.dev/v1alpha1; docs/guide/releases.md shows one."
            : `It holds ${renderList(known)}.`,
        details: { known },
      },
    );
  }
  if (others.length > 0) {
    throw new KirikaeError("KIR2032", `${file} holds ${known.length} Releases.`, {
      exitStatus: 2,
      hint: `Say which with --release: ${renderList(known)}.`,
      details: { known },
    });
  }
  return release;
}
