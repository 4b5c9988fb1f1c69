import type { Check, Gates, ReleaseSpec, ReleaseStep } from "../../manifest/release.ts";

/**
 * The steps that a strategy stands for, in order; a preset ends with everything on the new version. What steps add to
 * the routes is taken away by a last step, whether somebody wrote it or not.
 */
export function expandStrategy(spec: Pick<ReleaseSpec, "strategy" | "sessionAffinity">): readonly ReleaseStep[] {
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
