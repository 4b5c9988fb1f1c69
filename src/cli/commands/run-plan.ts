import { dirname, normalize } from "node:path";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { Position } from "../../core/diagnostics/position.ts";
import type { ReleaseManifest } from "../../core/manifest/manifest.ts";
import { chooseRelease } from "../../core/release/plan/choose-release.ts";
import { movedSplits } from "../../core/release/plan/moved-splits.ts";
import { planProbes } from "../../core/release/plan/plan-probes.ts";
import { describeReach } from "../../core/release/plan/describe-reach.ts";
import { planRelease } from "../../core/release/plan/plan-release.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { type LoadedMesh, loadMesh, noteErrors } from "../load-mesh.ts";
import { loadLive } from "../load-live.ts";
import { chosenSite } from "../reach-mesh.ts";
import { usageError } from "../usage-error.ts";
import type { Ink } from "../ink.ts";
import { renderProbePlan } from "../print/probe-plan.ts";
import { renderTimeRules } from "../print/time-rules.ts";
import { renderReleasePlan } from "../print/release-plan.ts";
import { currentActor } from "./move-options.ts";
import type { PlanOptions } from "./plan.ts";

interface PlanTarget {
  readonly file: string;
  readonly paths: readonly string[];
}

/** Plans from the weights that the manifests declare. What cannot be understood in them makes the answer no. */
export async function runPlan(context: CommandContext, target: PlanTarget, options: PlanOptions): Promise<void> {
  const { loaded, release } = await loadPlanned(context, target, options);
  const errors = noteErrors(loaded, context.terminal);
  const { site } = loaded;
  const planning = planRelease({
    table: site?.tableFor?.(release.spec) ?? loaded.table,
    current: new Map(),
    release,
    actor: currentActor(context.env),
    ...(site?.sites !== undefined && { sites: site.sites }),
  });
  if (planning.kind === "refused") throw planning.error;
  const { plan } = planning;
  const complaint =
    site === undefined ? undefined : (await import("../../app/site/complain-plan.ts")).complainPlan(plan);
  if (complaint !== undefined) throw complaint;
  const exitStatus = errors === 0 ? 0 : 1;
  const { probes } = plan.spec;
  const asked = probes === undefined ? undefined : planProbes(loaded.table, probes, movedSplits(plan));
  const reach = describeReach(loaded.table, plan);
  const text = (ink: Ink): string => {
    const steps = renderReleasePlan(plan, reach, ink);
    const sent = asked === undefined ? [] : [renderProbePlan(asked, probes?.perSecond ?? 0, ink)];
    return [steps, ...sent, ...renderTimeRules(plan, Date.now(), ink)].join("\n");
  };
  printAnswer(context, { exitStatus, data: { ...plan, reach, ...(asked && { asked }) }, text }, options);
}

interface Planned {
  /** What it is planned on. */
  readonly loaded: LoadedMesh;
  readonly release: ReleaseManifest;
}

/** With --context the Release is in the file, and everything that it is about in the cluster. */
async function loadPlanned(context: CommandContext, target: PlanTarget, options: PlanOptions): Promise<Planned> {
  const site = chosenSite(context);
  const { namespace, release } = options;
  const { input } = context;
  if (site === undefined) {
    const loaded = await loadMesh(sourcesOf(target), { defaultNamespace: namespace ?? "default", input });
    return { loaded, release: findRelease(loaded, target, release) };
  }
  if (target.paths.length > 0) {
    throw usageError("--context plans on the live objects, and no files.", "Name the file of the Release alone.");
  }
  const file = await loadMesh([target.file], { defaultNamespace: namespace ?? "default", input });
  const found = findRelease(file, target, release);
  return { loaded: await loadLive(context, { ...site, namespace: found.metadata.namespace }), release: found };
}

function sourcesOf({ file, paths }: PlanTarget): readonly string[] {
  if (file === "-") return [file, ...paths];
  return paths.length > 0 ? [normalize(file), ...paths] : [dirname(file)];
}

function findRelease(
  { mesh, diagnostics }: LoadedMesh,
  { file }: PlanTarget,
  wanted: string | undefined,
): ReleaseManifest {
  const path = normalize(file);
  const isOfFile = (at: Position | undefined): boolean => at !== undefined && (file === "-" || at.file === path);
  const inFile = mesh.manifests.filter(({ at }) => isOfFile(at));
  const chosen = chooseRelease(inFile, { path: file, wanted });
  if (chosen.kind === "release") return chosen.release;
  // A Release with an error is no manifest that could be planned, and yet the file holds one.
  const isBroken = diagnostics.some(({ level, at }) => level === "error" && isOfFile(at));
  const isThere = inFile.some(({ kind }) => kind === "Release");
  if (!isBroken || isThere) throw chosen.error;
  throw new KirikaeError("KIR2032", `${file} holds no Release that is without errors.`, {
    exitStatus: 2,
    hint: `\`kirikae check ${file}\` shows all of them.`,
    details: { known: [] },
  });
}
