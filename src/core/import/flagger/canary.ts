import type { Check, Preview, ReleaseSpec, ReleaseStep } from "../../manifest/release.ts";
import { chooseStrategy } from "../choose-strategy.ts";
import { readDurationMs } from "../duration-text.ts";
import type { InputField } from "../field-ledger.ts";
import { type ImportedRelease, Importing, type InputCatalog } from "../import-result.ts";
import type { InputObject } from "../input-object.ts";
import { approval, emptyCheck, plainSpec, withOwnNames } from "../release-parts.ts";
import { readMetrics } from "./metrics.ts";
import { readMatches } from "./matches.ts";
import { readService } from "./service.ts";
import { type ImportedWebhooks, readWebhooks } from "./webhooks.ts";

const aboutPods = "it is about pods, and kirikae makes, scales and removes none";

/** Turns a `flagger.app/v1beta1` Canary into a Release and the routing that Flagger makes. Never throws. */
export function importCanary(object: InputObject, catalog: InputCatalog): ImportedRelease {
  const importing = new Importing(object, catalog);
  const { spec } = importing;
  const { name, from, to, routes, made } = readService(spec, importing);
  const provider = spec.get("provider").text() ?? "istio";
  if (provider !== "istio") {
    spec
      ?.get("provider")
      .note(`kirikae moves traffic by Istio's VirtualServices and not by ${provider.slice(0, 60)}; one is made.`);
  }
  for (const other of ["ingressRef", "routeRef", "upstreamRef"]) {
    spec.get(other).note("It is for another provider than Istio.");
  }
  spec.get("autoscalerRef").leaveOut(aboutPods);
  spec
    ?.get("revertOnDeletion")
    .note("A Release that is gone leaves the traffic where it is; `kirikae rollback NAME --release` takes it back.");
  const analysis =
    ["analysis", "canaryAnalysis"].map((key) => spec.get(key)).find(({ exists }) => exists) ?? spec.get("analysis");
  const { steps: analysed, ...rest } = readAnalysis(analysis, { importing, service: name });
  const isSuspended = spec.get("suspend").boolean() === true;
  if (isSuspended) spec.get("suspend").note("The release waits before its first step until somebody promotes it.");
  const steps: readonly ReleaseStep[] = isSuspended ? [{ kind: "hold", durationMs: undefined }, ...analysed] : analysed;
  const maxDuration = readDeadline(spec.get("progressDeadlineSeconds"), steps);
  spec.get("metricsServer").translate();
  return importing.finish({
    made,
    spec: { ...plainSpec, ...rest, maxDuration, routes, from, to, strategy: chooseStrategy(steps) },
  });
}

/** Flagger's deadline is for progress alone; a release has one for the whole, so its own waits are added. */
function readDeadline(field: InputField, steps: readonly ReleaseStep[]): ReleaseSpec["maxDuration"] {
  const deadlineMs = readDurationMs(field);
  if (deadlineMs === undefined || deadlineMs === 0) return undefined;
  const waitsForSomebody = steps.some(
    (step) => step.kind === "approve" || (step.kind === "hold" && step.durationMs === undefined),
  );
  if (waitsForSomebody) {
    field.note("The release waits for people, so it has no limit; give it a maxDuration that leaves them time.");
    return undefined;
  }
  const waitsMs = steps.reduce((sum, step) => sum + ("durationMs" in step ? (step.durationMs ?? 0) : 0), 0);
  field.note("It was for progress alone; maxDuration is for the whole release, so the time of its steps is added.");
  return { durationMs: deadlineMs + waitsMs, action: "rollback" };
}

interface AnalysisReading {
  readonly importing: Importing;
  readonly service: string;
}

type ImportedAnalysis = Pick<ReleaseSpec, "sessionAffinity" | "notifications"> & {
  readonly steps: readonly ReleaseStep[];
};

function readAnalysis(analysis: InputField, { importing, service }: AnalysisReading): ImportedAnalysis {
  const skip = importing.spec.get("skipAnalysis");
  if (skip?.boolean() === true) {
    skip.note("The analysis is skipped, so the Release is one switch; without this field it would be translated.");
    analysis.leaveOut("skipAnalysis skips it");
    const steps: readonly ReleaseStep[] = [{ kind: "switch" }];
    return { sessionAffinity: undefined, notifications: [], steps };
  }
  const intervalMs = Math.max(1000, readDurationMs(analysis.get("interval")) ?? 60_000);
  const threshold = Math.max(1, Math.floor(readCount(analysis.get("threshold")) ?? 1));
  analysis.leaveOutFields(["primaryReadyThreshold", "canaryReadyThreshold"], aboutPods);
  for (const alert of analysis.get("alerts").items()) readAlert(alert, importing);
  const target = importing.spec.at("targetRef", "name").text() ?? importing.object.name;
  const names = {
    namespace: importing.object.namespace,
    name: importing.object.name,
    target,
    service,
    ingress: service,
    route: service,
  };
  const metrics = readMetrics(analysis.get("metrics"), { importing, intervalMs, threshold, names });
  const hooks = readWebhooks(analysis.get("webhooks"), { importing, intervalMs, threshold });
  if (threshold > 1) {
    analysis
      ?.get("threshold")
      .note(
        "Flagger repeats a stage and takes the canary back after so many failed rounds; a check asks as often within one interval, and takes the release back where all say no.",
      );
  }
  const check = withJudges(metrics.check, hooks, intervalMs);
  const promotion =
    metrics.unasked.length === 0
      ? hooks.promotion
      : [approval(`Is the new version good by ${metrics.unasked.join(", ")}?`), ...hooks.promotion];
  return {
    steps: readStages(analysis, { intervalMs, check, hooks: { ...hooks, promotion } }),
    sessionAffinity: readAffinity(analysis.get("sessionAffinity")),
    notifications: hooks.notifications,
  };
}

/** A stage that nobody judges lasts for its interval all the same. */
function withJudges(check: Check | undefined, { judges }: ImportedWebhooks, intervalMs: number): Check | undefined {
  if (judges.length === 0) return check;
  const base = check ?? emptyCheck(intervalMs);
  return { ...base, judges: withOwnNames([...base.judges, ...judges]) };
}

interface StageReading {
  readonly intervalMs: number;
  readonly check: Check | undefined;
  readonly hooks: ImportedWebhooks;
}

/** Which of match and iterations is there decides what Flagger does. */
function readStages(analysis: InputField, reading: StageReading): readonly ReleaseStep[] {
  const iterations = readCount(analysis.get("iterations")) ?? 0;
  const matchField = analysis.get("match");
  const match = readMatches(matchField);
  analysis
    .get("stepWeightPromotion")
    .note("A Release leaves the traffic at the new version, so there is no way back to a primary by steps.");
  const { hooks } = reading;
  const end: readonly ReleaseStep[] = [...hooks.promotion, { kind: "switch" }, ...hooks.end];
  if (iterations > 0) {
    for (const name of ["maxWeight", "stepWeight", "stepWeights"]) {
      analysis.get(name).note("With iterations Flagger moves no weights by steps.");
    }
    return [...hooks.start, ...iterate(analysis, reading, { match, iterations }), ...end];
  }
  matchField.note(
    "Without iterations Flagger narrows the canary to these requests; a Release does not, so the shares are of all requests.",
  );
  const stage = stageOf(reading, 1);
  const rising = readWeights(analysis).flatMap((percent): readonly ReleaseStep[] => [
    ...hooks.increase,
    { kind: "weight", shares: percent },
    ...stage,
  ]);
  return [...hooks.start, ...mirrored(readMirror(analysis, false), stage), ...rising, ...end];
}

/** With a match it is an A/B test, without one a blue/green release whose new version has no visitors yet. */
function iterate(
  analysis: InputField,
  reading: StageReading,
  { match, iterations }: { readonly match: Preview["match"]; readonly iterations: number },
): readonly ReleaseStep[] {
  const stage = stageOf(reading, iterations);
  const mirror = readMirror(analysis, match.length > 0);
  if (match.length > 0) return [{ kind: "preview", name: "ab-test", match }, ...stage];
  return mirror === undefined ? stage : mirrored(mirror, stage);
}

/** So many intervals of being judged, or of waiting where there is no judge. */
function stageOf({ intervalMs, check }: StageReading, intervals: number): readonly ReleaseStep[] {
  const durationMs = intervalMs * Math.min(intervals, 100_000);
  if (check === undefined) return [{ kind: "hold", durationMs }];
  const judges = check.judges.map((judge) =>
    intervals === 1 ? judge : { ...judge, count: (judge.count ?? 1) * Math.min(intervals, 100_000) },
  );
  return [{ kind: "check", ...check, durationMs: Math.max(check.durationMs, durationMs), judges }];
}

type Mirror = Extract<ReleaseStep, { kind: "mirror" }>;

function mirrored(mirror: Mirror | undefined, stage: readonly ReleaseStep[]): readonly ReleaseStep[] {
  return mirror === undefined ? [] : [mirror, ...stage, { ...mirror, percent: 0 }];
}

function readMirror(analysis: InputField, isAbTest: boolean): Mirror | undefined {
  const field = analysis.get("mirror");
  const isMirrored = field.boolean() === true;
  const percent = readCount(analysis.get("mirrorWeight")) ?? 100;
  if (!isMirrored) return undefined;
  if (isAbTest) {
    field.note("Flagger mirrors nothing where requests are chosen by match.");
    return undefined;
  }
  field.note("Flagger copied requests of every method; only GET and HEAD are copied unless `methods` names more.");
  const share = percent > 0 && percent <= 100 ? Math.round(percent * 100) / 100 : 100;
  return { kind: "mirror", percent: share, methods: ["GET", "HEAD"], compare: undefined };
}

/** The shares that Flagger passes through, below all of it. */
function readWeights(analysis: InputField): readonly number[] {
  const listed = analysis
    .get("stepWeights")
    .items()
    .flatMap((item) => item.number() ?? []);
  const step = readCount(analysis.get("stepWeight")) ?? 0;
  const most = readCount(analysis.get("maxWeight")) ?? 100;
  if (listed.length > 0) {
    analysis.get("maxWeight").translate();
    const rising = listed.filter((weight, index) => weight > (listed[index - 1] ?? 0) && weight < 100);
    if (rising.length < listed.filter((weight) => weight !== 100).length) {
      analysis.get("stepWeights").note("Shares that do not rise from above 0 to below 100 are left out.");
    }
    return sortedShares(rising);
  }
  if (step <= 0) {
    (analysis.get("stepWeight").exists ? analysis.get("stepWeight") : analysis).note(
      "It has no step above 0, so everything moves at once.",
    );
    return [];
  }
  const weights: number[] = [];
  for (let weight = step; weights.length < 100 && weight - step < most && weight < 100; weight += step)
    weights.push(weight);
  return sortedShares(weights);
}

function sortedShares(weights: readonly number[]): readonly number[] {
  const shares = weights.map((weight) => Math.round(weight * 100) / 100).filter((share) => share > 0 && share < 100);
  return [...new Set(shares)].toSorted((left, right) => left - right);
}

function readCount(field: InputField): number | undefined {
  const value = field.number();
  if (value === undefined) return undefined;
  if (value >= 0 && value <= 1_000_000) return value;
  field.note("It is no number that a Release can have, so it is left out.");
  return undefined;
}

function readAlert(alert: InputField, importing: Importing): void {
  const name = alert.at("providerRef", "name").text() ?? "";
  const namespace = alert.at("providerRef", "namespace").text() ?? importing.object.namespace;
  alert.leaveOutFields(["name", "severity"], "it is about alerts");
  const provider = importing.refer("AlertProvider", { namespace, name });
  alert.note(
    "kirikae tells webhooks of its own form: give `notifications` the address of something that passes them on to this provider.",
  );
  provider?.root.get("spec").leaveOut("it is about alerts");
}

function readAffinity(field: InputField): ReleaseSpec["sessionAffinity"] {
  const cookie = field.get("cookieName").text();
  const seconds = readCount(field.get("maxAge")) ?? 86_400;
  for (const name of ["domain", "httpOnly", "partitioned", "path", "sameSite", "secure"]) {
    field.get(name).note("The cookie's attributes are kirikae's own.");
  }
  field.get("primaryCookieName").note("Visitors of both versions stay where they are by one cookie.");
  if (cookie === undefined) return undefined;
  if (/^[\w-]{1,100}$/u.test(cookie)) return { cookie, maxAgeMs: Math.max(1, Math.round(seconds)) * 1000 };
  field.get("cookieName").note("It is no name that a cookie of kirikae can have, so `kirikae-visitor` is taken.");
  return { cookie: "kirikae-visitor", maxAgeMs: Math.max(1, Math.round(seconds)) * 1000 };
}
