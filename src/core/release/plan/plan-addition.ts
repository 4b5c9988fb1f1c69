import { KirikaeError } from "../../diagnostics/error.ts";
import type { PreviewMatch, ReleaseStep } from "../../manifest/release.ts";
import type { RequestMark } from "../../routes/route-addition.ts";
import type { Destination, DestinationId, SplitId } from "../../routes/route-table.ts";
import { splitsOf } from "../../routes/weights.ts";
import { planMove } from "../move/plan-move.ts";
import type { PlannedStep, ReleaseInput } from "./plan-release.ts";
import type { Refusal } from "../move/refusals.ts";

/** A step that adds something to routes. */
export type AddingStep = Extract<ReleaseStep, { kind: "preview" | "mirror" | "affinity" }>;

type PlannedAddition = Extract<PlannedStep, { readonly addition: unknown }>;

/** Finds the rules that a step adds to: those that everybody's requests take, of all routes of the release. */
export function planAddition(
  step: AddingStep,
  input: ReleaseInput,
): { readonly kind: "planned"; readonly step: PlannedAddition } | Refusal {
  const found = findNewVersion(input);
  if (found.kind === "refused") return found;
  const { to } = found;
  switch (step.kind) {
    case "preview": {
      const addition = { kind: "preview", name: step.name, to, marks: step.match.map(markOf) } as const;
      return { kind: "planned", step: { kind: "preview", addition } };
    }
    case "mirror": {
      const { percent, methods, compare } = step;
      return { kind: "planned", step: { kind: "mirror", addition: { kind: "mirror", to, percent, methods }, compare } };
    }
    case "affinity": {
      const { cookie, maxAgeMs } = step;
      const splits = Object.keys(to);
      const hashing = findHashing(input, splits);
      if (hashing !== undefined) return refuseHashing(hashing);
      const addition = { kind: "affinity", splits, cookie, maxAgeMs } as const;
      return { kind: "planned", step: { kind: "affinity", addition } };
    }
  }
}

/** Where the new version is behind each public rule. Foreign hosts beside it keep their share, and are not it. */
function findNewVersion({
  table,
  current,
  release,
  actor,
}: ReleaseInput): { readonly kind: "found"; readonly to: Readonly<Record<SplitId, DestinationId>> } | Refusal {
  const to: Record<SplitId, DestinationId> = {};
  for (const { virtualService, ...where } of release.spec.routes) {
    const request = { verb: "switch", name: virtualService, ...where, to: { [release.spec.to]: 100 } } as const;
    const planning = planMove({ table, current, request: { ...request, actor, reason: undefined } });
    if (planning.kind === "refused") return planning;
    const { to: wanted, versions, changes } = planning.plan;
    const own = new Set(versions.filter(({ name }) => name === wanted).flatMap(({ destinations }) => destinations));
    for (const { split, role, after } of changes) {
      const arm = Object.keys(after).find((destination) => own.has(destination) && (after[destination] ?? 0) > 0);
      if (role === "public" && arm !== undefined) to[split] = arm;
    }
  }
  return { kind: "found", to };
}

/** A version behind one of these rules whose endpoints are chosen by a hash of the manifest's own. */
function findHashing({ table }: ReleaseInput, splits: readonly SplitId[]): Destination | undefined {
  const known = splitsOf(table);
  return splits
    .flatMap((id) => known.get(id)?.arms ?? [])
    .map(({ destination }) => table.destinations.get(destination))
    .find((destination) => destination !== undefined && "key" in destination.policy.loadBalancer);
}

function refuseHashing({ host, subset }: Destination): Refusal {
  const name = subset === undefined ? host : `subset ${subset} of ${host}`;
  return {
    kind: "refused",
    error: new KirikaeError("KIR2040", `The DestinationRule of ${name} has a consistentHash already.`, {
      exitStatus: 2,
      hint: "Envoy has one hash for a request: leave sessionAffinity out, or take consistentHash away for the release.",
    }),
  };
}

function markOf({ headers, cookies, queryParams }: PreviewMatch): RequestMark {
  return { headers, cookies, query: queryParams };
}
