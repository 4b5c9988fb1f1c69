import { movedSplits } from "../core/release/plan/moved-splits.ts";
import { planProbes } from "../core/release/plan/plan-probes.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { StepSights, StepWatcher, WatchedStep } from "../engine/watch-step.ts";
import type { ManifestApplier } from "./apply-manifests.ts";
import { startProbeTraffic, type ProbeTraffic } from "./probe-traffic.ts";

export type WatchedMesh = Pick<ManifestApplier, "current" | "mirrors" | "listenAddress">;

/** Sends a release's own requests while its weights move, and picks up what copies have shown when they end. */
export function createStepWatcher(mesh: WatchedMesh): StepWatcher {
  return {
    watch(plan, step) {
      const traffic = startProbes(mesh, plan, step);
      return async (outcome): Promise<StepSights> => {
        const probes = await traffic?.end();
        const mirror = outcome === "moved" ? mesh.mirrors.takeEnded(plan.release) : undefined;
        return { ...(probes === undefined ? {} : { probes }), ...(mirror === undefined ? {} : { mirror }) };
      };
    },
  };
}

/** Undefined where none are asked for, or none can be. */
function startProbes(
  { current, listenAddress }: WatchedMesh,
  plan: ReleasePlan,
  { movesForward }: WatchedStep,
): ProbeTraffic | undefined {
  const { probes: asked } = plan.spec;
  if (asked === undefined || !movesForward) return undefined;
  const { probes } = planProbes(current.table, asked, movedSplits(plan));
  if (probes.length === 0) return undefined;
  return startProbeTraffic({
    probes,
    perSecond: asked.perSecond,
    locate: (listener) => {
      const port = current.ports.get(listener);
      return port === undefined ? undefined : { address: listenAddress, port };
    },
  });
}
