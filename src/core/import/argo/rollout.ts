import type { ReleaseStep } from "../../manifest/release.ts";
import { chooseStrategy } from "../choose-strategy.ts";
import { readDurationMs } from "../duration-text.ts";
import type { InputField } from "../field-ledger.ts";
import { type ImportedRelease, Importing, type InputCatalog } from "../import-result.ts";
import type { InputObject } from "../input-object.ts";
import { approval, emptyCheck, plainSpec } from "../release-parts.ts";
import { readAnalysis } from "./analysis.ts";
import { readBlueGreenRouting, readCanaryRouting } from "./routing.ts";
import { readSteps, stepsOfAnalysis } from "./steps.ts";

const aboutPods = "it is about pods, and kirikae makes, scales and removes none";
const aboutRecords = "it is about the records of analyses and revisions";

/** Turns an `argoproj.io/v1alpha1` Rollout into a Release. Never throws; what has no equal is a note. */
export function importRollout(object: InputObject, catalog: InputCatalog): ImportedRelease {
  const importing = new Importing(object, catalog);
  const { spec } = importing;
  spec.leaveOutFields(["replicas", "selector", "template", "workloadRef", "minReadySeconds", "restartAt"], aboutPods);
  spec.leaveOutFields(["progressDeadlineSeconds", "progressDeadlineAbort"], aboutPods);
  spec.leaveOutFields(["revisionHistoryLimit", "analysis"], aboutRecords);
  spec.get("rollbackWindow").note("A rollback goes back to before the release at once, whatever came between.");
  const isPaused = spec.get("paused").boolean() === true;
  if (isPaused) spec.get("paused").note("The release waits before its first step until somebody promotes it.");
  const strategy = spec.get("strategy");
  const blueGreen = strategy.get("blueGreen");
  const canary = strategy.get("canary");
  if (blueGreen.exists) canary.note("A Rollout has one strategy; blueGreen is taken.");
  const start: readonly ReleaseStep[] = isPaused ? [{ kind: "hold", durationMs: undefined }] : [];
  if (blueGreen.exists) return importBlueGreen(blueGreen, { importing, start });
  return importCanary(canary, { importing, start });
}

interface StrategyReading {
  readonly importing: Importing;
  readonly start: readonly ReleaseStep[];
}

function importCanary(canary: InputField, { importing, start }: StrategyReading): ImportedRelease {
  const { made, ...routing } = readCanaryRouting(canary, importing);
  canary.leaveOutFields(
    ["maxUnavailable", "maxSurge", "antiAffinity", "canaryMetadata", "stableMetadata", "minPodsPerReplicaSet"],
    aboutPods,
  );
  canary.leaveOutFields(
    ["replicaProgressThreshold", "scaleDownDelayRevisionLimit", "abortScaleDownDelaySeconds"],
    aboutPods,
  );
  canary
    .get("dynamicStableScale")
    .note(
      "kirikae scales nothing: keep the version before at its size until the release is done, so that the way back has room.",
    );
  const traffic = canary.get("trafficRouting");
  traffic.get("managedRoutes").leaveOut("kirikae names the routes that it adds by itself");
  const denominator = traffic.get("maxTrafficWeight").number() ?? 100;
  const given = readSteps(canary.get("steps"), { importing, denominator: denominator > 0 ? denominator : 100 });
  if (given.length === 0) importing.noteStrategy("It has no steps: a rolling update of pods becomes one switch.");
  const steps = withBackground(given, canary.get("analysis"), importing);
  const rest = [...endWithSwitch([...start, ...steps]), ...bakeFor(canary.get("scaleDownDelaySeconds"))];
  return importing.finish({ made, spec: { ...plainSpec, ...routing, strategy: chooseStrategy(rest) } });
}

/** Argo Rollouts gives everything to the new version after the last step. */
function endWithSwitch(steps: readonly ReleaseStep[]): readonly ReleaseStep[] {
  return [...steps, { kind: "switch" }];
}

function bakeFor(field: InputField): readonly ReleaseStep[] {
  const durationMs = readDurationMs(field);
  if (durationMs === undefined || durationMs === 0) return [];
  return [{ kind: "bake", durationMs, check: undefined }];
}

/** An analysis in the background judges each pause that it covered, and each weight that no pause follows. */
function withBackground(
  given: readonly (readonly ReleaseStep[])[],
  field: InputField,
  importing: Importing,
): readonly ReleaseStep[] {
  if (!field.exists) return given.flat();
  const starting = field.get("startingStep").number() ?? 0;
  const analysis = readAnalysis(field, importing);
  if (analysis.unasked.length > 0) {
    field.note(
      `What cannot be asked by a judge (${analysis.unasked.join(", ")}) is asked of a person before everything moves.`,
    );
  }
  const question = approvalFor(analysis.unasked);
  if (analysis.judges.length === 0) return [...given.flat(), ...question];
  field.note(
    "It ran beside the steps; here each pause with a time, and each weight without one, is a check by the same judges.",
  );
  const judged = (durationMs: number): ReleaseStep => ({
    kind: "check",
    ...emptyCheck(durationMs),
    judges: analysis.judges,
  });
  const shortest = Math.max(
    60_000,
    ...analysis.judges.map(({ initialDelayMs, intervalMs }) => initialDelayMs + intervalMs),
  );
  const steps = given.flatMap((group, index) =>
    group.flatMap((step): readonly ReleaseStep[] => {
      if (index < starting) return [step];
      if (step.kind === "hold" && step.durationMs !== undefined) return [judged(step.durationMs)];
      const next = given[index + 1]?.[0];
      const isJudged = next?.kind === "check" || (next?.kind === "hold" && next.durationMs !== undefined);
      return step.kind === "weight" && !isJudged ? [step, judged(shortest)] : [step];
    }),
  );
  return [...steps, ...question];
}

function approvalFor(unasked: readonly string[]): readonly ReleaseStep[] {
  return unasked.length === 0 ? [] : [approval(`Is the new version good by ${unasked.join(", ")}?`)];
}

function importBlueGreen(field: InputField, { importing, start }: StrategyReading): ImportedRelease {
  const { made, ...routing } = readBlueGreenRouting(field, importing);
  field.leaveOutFields(
    ["previewReplicaCount", "maxUnavailable", "scaleDownDelayRevisionLimit", "antiAffinity"],
    aboutPods,
  );
  field.leaveOutFields(["previewMetadata", "activeMetadata", "abortScaleDownDelaySeconds"], aboutPods);
  const before = field.get("prePromotionAnalysis");
  const after = field.get("postPromotionAnalysis");
  const isAutomatic = field.get("autoPromotionEnabled").boolean() ?? true;
  const waitMs = readDurationMs(field.get("autoPromotionSeconds"));
  const hold: readonly ReleaseStep[] =
    waitMs !== undefined && waitMs > 0
      ? [{ kind: "hold", durationMs: waitMs }]
      : isAutomatic
        ? []
        : [{ kind: "hold", durationMs: undefined }];
  const steps: readonly ReleaseStep[] = [
    ...start,
    ...(!before.exists ? [] : stepsOfAnalysis(readAnalysis(before, importing))),
    ...hold,
    { kind: "switch" },
    ...bakeWith(after, field.get("scaleDownDelaySeconds"), importing),
  ];
  return importing.finish({ made, spec: { ...plainSpec, ...routing, strategy: { kind: "steps", steps } } });
}

/** The version before is there for as long as Argo Rollouts kept its pods, and is judged meanwhile. */
function bakeWith(after: InputField, delay: InputField, importing: Importing): readonly ReleaseStep[] {
  if (!after.exists) return bakeFor(delay);
  const analysis = readAnalysis(after, importing);
  const durationMs = Math.max(readDurationMs(delay) ?? 0, analysis.durationMs, 10_000);
  const check = analysis.judges.length === 0 ? undefined : { ...emptyCheck(durationMs), judges: analysis.judges };
  return [{ kind: "bake", durationMs, check }, ...approvalFor(analysis.unasked)];
}
