import type { RouteTable, SplitId, SplitWeights, WeightOverrides } from "../../routes/route-table.ts";
import { buildRoutedServices, buildServiceRules, destinationParts, type MovableRule } from "./movable-rules.ts";
import type { PlannedVersion, SplitChange, VersionName } from "./move.ts";
import { isSameShare } from "./split-weights.ts";
import { buildVersionNaming, versionOfArm } from "./version-family.ts";

/** Where a move has put a split's traffic, and what the manifest said at that time. */
export interface Placement {
  readonly split: SplitId;
  /** `namespace/name`. */
  readonly virtualService: string;
  readonly declared: SplitWeights;
  readonly weights: SplitWeights;
}

/** A VirtualService whose manifest takes the place of an earlier move. */
export interface ManifestOverride {
  readonly virtualService: string;
  readonly why: string;
  readonly versions: readonly PlannedVersion[];
  readonly changes: readonly SplitChange[];
}

/**
 * Lays the weights of earlier moves over new manifests. An edit of the declared weights of a moved rule wins, for the
 * whole VirtualService, because its rules were moved together; any other edit keeps the moved weights.
 */
export function reconcilePlacements(
  table: RouteTable,
  placements: readonly Placement[],
): { readonly kept: WeightOverrides; readonly overridden: readonly ManifestOverride[] } {
  const kept = new Map<SplitId, SplitWeights>();
  const overridden: ManifestOverride[] = [];
  // To gather thousands of services takes time, and mostly none was moved.
  if (placements.length === 0) return { kept, overridden };
  const services = new Map(buildRoutedServices(table).map((service) => [service.virtualService, service]));
  for (const [virtualService, own] of Map.groupBy(placements, (placement) => placement.virtualService)) {
    const service = services.get(virtualService);
    const rules = service === undefined ? [] : buildServiceRules(service, new Map());
    const movable = rules.map((rule) => rule.movable).filter((rule) => rule !== undefined);
    const why = own.map((placement) => whyOverridden(placement, movable)).find((reason) => reason !== undefined);
    if (why === undefined) {
      for (const { split, weights } of own) kept.set(split, weights);
      continue;
    }
    const changes = own.map((placement) => buildChange(placement, movable));
    overridden.push({ virtualService, why, changes, versions: versionsOf(changes, { virtualService, movable }) });
  }
  return { kept, overridden };
}

function whyOverridden(placement: Placement, movable: readonly MovableRule[]): string | undefined {
  const rule = movable.find(({ split }) => split === placement.split);
  if (rule === undefined) return "A rule that was moved is no longer there.";
  if (!isSameShare(rule.declared, placement.declared)) return "The manifest declares other weights than before.";
  const known = new Set(rule.arms.map(({ destination }) => destination));
  const isWhole = Object.entries(placement.weights).every(([arm, weight]) => weight === 0 || known.has(arm));
  return isWhole ? undefined : "A version that has traffic is no longer there.";
}

function buildChange(placement: Placement, movable: readonly MovableRule[]): SplitChange {
  const rule = movable.find(({ split }) => split === placement.split);
  return {
    split: placement.split,
    rule: rule?.rule ?? -1,
    ruleName: rule?.ruleName,
    role: rule?.isConditional === true ? "preview" : "public",
    declared: placement.declared,
    before: placement.weights,
    // A rule that is gone has no weights; its record says where its traffic was.
    after: rule?.declared ?? {},
  };
}

function versionsOf(
  changes: readonly SplitChange[],
  { virtualService, movable }: { readonly virtualService: string; readonly movable: readonly MovableRule[] },
): readonly PlannedVersion[] {
  const naming = buildVersionNaming(virtualService.split("/")[0] ?? "", movable);
  const versions = new Map<VersionName, Set<string>>();
  for (const destination of changes.flatMap(({ before, after }) => [...Object.keys(before), ...Object.keys(after)])) {
    const arm = { ...destinationParts(destination), isDeclared: false };
    const name = versionOfArm(arm, naming);
    versions.set(name, (versions.get(name) ?? new Set<string>()).add(destination));
  }
  return [...versions].map(([name, destinations]) => ({ name, destinations: [...destinations] }));
}
