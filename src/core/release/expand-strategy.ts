import type { ReleaseSpec, ReleaseStep } from "../manifest/release.ts";

/** The steps that a strategy stands for, in order; a preset ends with everything on the new version. */
export function expandStrategy({ strategy }: Pick<ReleaseSpec, "strategy">): readonly ReleaseStep[] {
  switch (strategy.kind) {
    case "blueGreen": {
      const { approve, bakeMs } = strategy;
      return [
        ...(approve === undefined ? [] : [{ kind: "approve", ...approve } as const]),
        { kind: "switch" },
        ...(bakeMs === undefined ? [] : [{ kind: "hold", durationMs: bakeMs } as const]),
      ];
    }
    case "canary": {
      const { weights, hold, check, approve } = strategy;
      return [
        ...weights.flatMap((percent): readonly ReleaseStep[] => [
          { kind: "weight", shares: percent },
          ...(hold === undefined ? [] : [{ kind: "hold", ...hold } as const]),
          ...(check === undefined ? [] : [{ kind: "check", ...check } as const]),
        ]),
        ...(approve === undefined ? [] : [{ kind: "approve", ...approve } as const]),
        { kind: "switch" },
      ];
    }
    case "steps":
      return strategy.steps;
  }
}
