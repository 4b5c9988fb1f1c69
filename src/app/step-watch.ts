import type { MirrorReport } from "../core/release/mirror/mirror-report.ts";
import { movedSplits } from "../core/release/plan/moved-splits.ts";
import { planProbes } from "../core/release/plan/plan-probes.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { StepSights, StepWatcher, WatchedStep } from "../engine/watch-step.ts";
import type { LiveMesh } from "./live-mesh.ts";
import { type ProbePlace, type ProbeTraffic, startProbeTraffic } from "./probe-traffic.ts";

/** How gateways are asked while a step is watched. */
export interface ProbeWays extends Disposable {
  /** Where requests for a listener go; why they go nowhere, in words. */
  locate(listener: string): ProbePlace | string;
}

/** Copies of requests whose answers were compared. */
interface EndedMirrors {
  /** What those of a release have shown that copies no more; once. */
  takeEnded(release: string): MirrorReport | undefined;
}

export interface WatchedMesh {
  readonly current: Pick<LiveMesh, "table">;
  readonly mirrors?: EndedMirrors;
  readonly openWays: () => ProbeWays;
  /**
   * Whether each request is sent once more when the weights are proved: a gateway that has no route or no version for it
   * belies the proof. For gateways that others run.
   */
  readonly confirms?: boolean;
}

/** Sends a release's own requests while its weights move, and picks up what copies have shown when they end. */
export function createStepWatcher(mesh: WatchedMesh): StepWatcher {
  return {
    watch(plan, step) {
      const traffic = startProbes(mesh, plan, step);
      return async (outcome): Promise<StepSights> => {
        const isMoved = outcome === "moved";
        const contradiction = isMoved && mesh.confirms === true ? await traffic?.confirm() : undefined;
        const probes = await traffic?.end();
        const mirror = isMoved ? mesh.mirrors?.takeEnded(plan.release) : undefined;
        return {
          ...(probes !== undefined && { probes }),
          ...(contradiction !== undefined && { contradiction }),
          ...(mirror !== undefined && { mirror }),
        };
      };
    },
  };
}

/** Undefined where none are asked for, or none can be. */
function startProbes(
  { current, openWays }: WatchedMesh,
  plan: ReleasePlan,
  { movesForward }: WatchedStep,
): ProbeTraffic | undefined {
  const { probes: asked } = plan.spec;
  if (asked === undefined || !movesForward) return undefined;
  const { probes } = planProbes(current.table, asked, movedSplits(plan));
  if (probes.length === 0) return undefined;
  const ways = openWays();
  const traffic = startProbeTraffic({ probes, perSecond: asked.perSecond, locate: (id) => ways.locate(id) });
  return {
    confirm: () => traffic.confirm(),
    async end() {
      using _ = ways;
      return await traffic.end();
    },
  };
}
