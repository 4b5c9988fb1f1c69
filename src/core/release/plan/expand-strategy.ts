import type { Check, Gates, ReleaseSites, ReleaseSpec, ReleaseStep, SubsetChange } from "../../manifest/release.ts";

/** A step to be planned: one that somebody wrote, on every site or on one, or one that changes subsets. */
export type ExpandedStep =
  | Exclude<ReleaseStep, { readonly kind: "weight" | "switch" }>
  | MovingStep
  | { readonly kind: "subsets"; readonly does: "add" | "remove" };

/** A step that moves weights; `site` is the context that it is for, where it is for one of several. */
export type MovingStep = Extract<ReleaseStep, { kind: "weight" | "switch" }> & { readonly site?: string };

type ExpandedSpec = Pick<ReleaseSpec, "strategy" | "sessionAffinity" | "subsets" | "sites">;

/**
 * The steps that a Release stands for, in order; a preset ends with everything on the new version. What steps add to the
 * routes is taken away by a last step, whether somebody wrote it or not.
 */
export function expandStrategy(spec: ExpandedSpec): readonly ExpandedStep[] {
  return withSubsets(perSite(expandSteps(spec), spec.sites), spec.subsets ?? []);
}

/** Where sites move one after the other, each has a step of its own, and what is waited for after it. */
function perSite(steps: readonly ReleaseStep[], sites: ReleaseSites | undefined): readonly ExpandedStep[] {
  if (sites === undefined || sites.order === "together" || sites.contexts.length === 1) return steps;
  const expanded: ExpandedStep[] = [];
  for (let index = 0; index < steps.length;) {
    const step = steps[index];
    index += 1;
    if (step === undefined) break;
    if (step.kind !== "weight" && step.kind !== "switch") {
      expanded.push(step);
      continue;
    }
    const end = steps.findIndex((each, at) => at >= index && !isGate(each));
    const gates = steps.slice(index, end === -1 ? steps.length : end);
    index += gates.length;
    for (const site of sites.contexts) expanded.push({ ...step, site }, ...gates);
  }
  return expanded;
}

function isGate({ kind }: Pick<ExpandedStep, "kind">): boolean {
  return kind === "hold" || kind === "check" || kind === "bake" || kind === "approve";
}

/** Made before the first step that could need them; removed when nothing waits any more that could lead back to them. */
function withSubsets(steps: readonly ExpandedStep[], changes: readonly SubsetChange[]): readonly ExpandedStep[] {
  const adds = changes.some(({ add }) => add.length > 0);
  const removes = changes.some(({ remove }) => remove.length > 0);
  const first = adds ? steps.findIndex(({ kind }) => kind !== "hold" && kind !== "approve") : -1;
  const isLastFinish = steps.at(-1)?.kind === "finish";
  const body = isLastFinish ? steps.slice(0, -1) : steps;
  return [
    ...body.slice(0, Math.max(first, 0)),
    ...(adds ? [{ kind: "subsets", does: "add" } as const] : []),
    ...body.slice(Math.max(first, 0)),
    ...(removes ? [{ kind: "subsets", does: "remove" } as const] : []),
    ...(isLastFinish ? [{ kind: "finish" } as const] : []),
  ];
}

function expandSteps(spec: Pick<ReleaseSpec, "strategy" | "sessionAffinity">): readonly ReleaseStep[] {
  const { sessionAffinity } = spec;
  const affinity = sessionAffinity === undefined ? [] : [{ kind: "affinity", ...sessionAffinity } as const];
  const steps = [...affinity, ...expandPreset(spec)];
  const lastAddition = steps.findLastIndex(
    ({ kind }) => kind === "preview" || kind === "mirror" || kind === "affinity",
  );
  const lastFinish = steps.findLastIndex(({ kind }) => kind === "finish");
  return lastAddition > lastFinish ? [...steps, { kind: "finish" }] : steps;
}

function expandPreset({ strategy }: Pick<ReleaseSpec, "strategy">): readonly ReleaseStep[] {
  switch (strategy.kind) {
    case "blueGreen": {
      const { preview, bake } = strategy;
      return [
        ...(preview === undefined ? [] : [{ kind: "preview", ...preview } as const, ...gatesOf(strategy)]),
        ...approvalOf(strategy),
        { kind: "switch" },
        ...(bake === undefined ? [] : [{ kind: "bake", ...bake } as const]),
      ];
    }
    case "canary":
      return [...rise(strategy), ...approvalOf(strategy), { kind: "switch" }];
    case "abTest":
      return [
        { kind: "preview", ...strategy.preview },
        ...gatesOf(strategy),
        ...approvalOf(strategy),
        { kind: "switch" },
      ];
    case "mirrorFirst":
      return [
        { kind: "mirror", ...strategy.mirror },
        ...gatesOf({ ...strategy, check: ofCopies(strategy.check) }),
        { kind: "mirror", ...strategy.mirror, percent: 0 },
        ...rise(strategy),
        ...approvalOf(strategy),
        { kind: "switch" },
      ];
    case "cohorts":
      return [
        ...strategy.cohorts.flatMap((cohort): readonly ReleaseStep[] => [
          cohort.kind === "match"
            ? { kind: "preview", ...cohort.preview, name: cohort.name }
            : { kind: "weight", shares: cohort.percent },
          ...gatesOf(strategy),
        ]),
        ...approvalOf(strategy),
        { kind: "switch" },
      ];
    case "steps":
      return strategy.steps;
  }
}

function rise({ weights, ...gates }: { readonly weights: readonly number[] } & Gates): readonly ReleaseStep[] {
  return weights.flatMap((percent): readonly ReleaseStep[] => [
    { kind: "weight", shares: percent },
    ...gatesOf({ ...gates, check: withoutMirror(gates.check) }),
  ]);
}

/** Nothing is copied any more, so there is nothing to compare. */
function withoutMirror(check: Check | undefined): Check | undefined {
  if (check === undefined) return undefined;
  const { minSuccessPercent, comparesWithLive, latency, maxEjections, judges } = check;
  const isAsked = comparesWithLive || minSuccessPercent !== undefined || maxEjections !== undefined;
  return isAsked || latency.length + judges.length > 0 ? { ...check, maxDifferentPercent: undefined } : undefined;
}

/** No visitor meets the new version while it is sent copies alone, so its own figures say nothing yet. */
function ofCopies(check: Check | undefined): Check | undefined {
  if (check === undefined || (check.maxDifferentPercent === undefined && check.judges.length === 0)) return undefined;
  const none = { minSuccessPercent: undefined, comparesWithLive: false, latency: [], maxEjections: undefined };
  return { ...check, ...none };
}

function gatesOf({ hold, check }: Pick<Gates, "hold" | "check">): readonly ReleaseStep[] {
  return [
    ...(hold === undefined ? [] : [{ kind: "hold", ...hold } as const]),
    ...(check === undefined ? [] : [{ kind: "check", ...check } as const]),
  ];
}

function approvalOf({ approve }: Pick<Gates, "approve">): readonly ReleaseStep[] {
  return approve === undefined ? [] : [{ kind: "approve", ...approve }];
}
