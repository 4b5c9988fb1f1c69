import type { PlannedStep } from "./plan-release.ts";
import { gainingDestinations } from "../move/split-weights.ts";

/** Whether a step gives the new version requests that it did not have: what a freeze keeps from beginning. */
export function givesMore(step: PlannedStep, to: string | undefined): boolean {
  switch (step.kind) {
    case "switch":
    case "preview":
      return true;
    case "weight":
      return step.moves.some(({ changes, versions, to: gaining }) => {
        // A shift back to the version before gains nothing for the new one, whose name the plan may write in full.
        const fresh = versions.find(({ name }) => name === to) ?? versions.find(({ name }) => name === gaining);
        return changes.some(({ before, after }) =>
          gainingDestinations(before, after).some((destination) => fresh?.destinations.includes(destination)),
        );
      });
    case "mirror":
      return step.addition.percent > 0;
    case "affinity":
    case "finish":
    case "subsets":
    case "hold":
    case "approve":
    case "check":
    case "bake":
      return false;
  }
}
