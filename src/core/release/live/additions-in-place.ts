import type { OwnedAddition, RouteAddition } from "../../routes/route-addition.ts";
import { type ReleasePlan, releasedServices } from "../plan/plan-release.ts";
import type { ReleaseState } from "../state/release-state.ts";

/** A release with how many of its steps have left in place what they add. */
export interface PlacedRelease {
  readonly plan: ReleasePlan;
  readonly stepsDone: number;
}

/**
 * What all releases together have laid over the routes, given oldest first. Of releases of the same VirtualService the
 * newest alone counts: what an older one was aborted with makes room for it.
 */
export function collectAdditions(releases: readonly PlacedRelease[]): readonly OwnedAddition[] {
  const taken = new Set<string>();
  const collected: (readonly OwnedAddition[])[] = [];
  for (const { plan, stepsDone } of releases.toReversed()) {
    const services = [...releasedServices(plan)];
    const isSuperseded = services.some((service) => taken.has(service));
    for (const service of services) taken.add(service);
    if (isSuperseded) continue;
    const additions = additionsAfter(plan, stepsDone);
    collected.push(additions.map((addition) => ({ release: plan.release, addition })));
  }
  return collected.toReversed().flat();
}

/** What is in place when so many of the steps have been done. */
export function additionsAfter({ steps }: Pick<ReleasePlan, "steps">, done: number): readonly RouteAddition[] {
  let additions: readonly RouteAddition[] = [];
  for (const step of steps.slice(0, done)) {
    switch (step.kind) {
      case "preview":
        additions = [...additions.filter((each) => !isSame(each, step.addition)), step.addition];
        break;
      case "mirror":
        additions = additions.filter(({ kind }) => kind !== "mirror");
        if (step.addition.percent > 0) additions = [...additions, step.addition];
        break;
      case "affinity":
        additions = [...additions.filter(({ kind }) => kind !== "affinity"), step.addition];
        break;
      case "finish":
        additions = [];
        break;
      case "weight":
      case "switch":
      case "subsets":
      case "hold":
      case "approve":
      case "check":
      case "bake":
        break;
    }
  }
  return additions;
}

function isSame(one: RouteAddition, other: RouteAddition): boolean {
  return one.kind === "preview" && other.kind === "preview" && one.name === other.name;
}

/** How many steps have left in place what they add; one that is being done, or has failed, has not yet. */
export function stepsInPlace({ steps }: Pick<ReleasePlan, "steps">, { phase }: ReleaseState): number {
  switch (phase.kind) {
    case "planned":
    case "rolledBack":
      return 0;
    case "done":
      return steps.length;
    case "moving":
    case "holding":
    case "checking":
    case "awaiting":
    case "frozen":
    case "paused":
    case "failed":
    case "setting":
    case "rollingBack":
    case "redoing":
    case "aborted":
      return phase.step;
  }
}
