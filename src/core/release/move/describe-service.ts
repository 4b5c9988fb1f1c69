import type { WeightOverrides } from "../../routes/route-table.ts";
import { sharesOf } from "./compare-weights.ts";
import { buildFamilyRoles } from "./family-roles.ts";
import { buildServiceRules, type MovableRule, type RoutedService, type ServiceRule } from "./movable-rules.ts";
import type { PlannedVersion, VersionName } from "./move.ts";
import { isSameShare } from "./split-weights.ts";
import {
  buildFamilyRules,
  buildVersionNaming,
  familyKey,
  familyOfArm,
  soleVersion,
  type VersionFamily,
  versionOfArm,
  type VersionNaming,
} from "./version-family.ts";

/** Where the traffic of one VirtualService is, in the words that plans use. */
export interface ServiceDescription {
  /** `namespace/name`. */
  readonly virtualService: string;
  /** The hosts by which gateways admit requests for it, sorted. */
  readonly hosts: readonly string[];
  /** Undefined where nothing can be moved. */
  readonly live: VersionName | undefined;
  readonly versions: readonly DescribedVersion[];
  readonly rules: readonly DescribedRule[];
  /** True when a weight differs from what the manifest declares. */
  readonly isMoved: boolean;
}

export interface DescribedVersion extends PlannedVersion {
  /** `split` takes a part of the public traffic beside the live one. */
  readonly role: "live" | "idle" | "preview" | "split";
}

interface DescribedRule {
  readonly rule: number;
  readonly name: string | undefined;
  /** `other` answers by itself, or has nowhere else to send its traffic. */
  readonly role: "public" | "preview" | "other";
  /** Percent by version. */
  readonly weights: Readonly<Record<VersionName, number>>;
}

/** Describes one VirtualService with the current weights laid over the declared ones. */
export function describeService(service: RoutedService, current: WeightOverrides): ServiceDescription {
  const rules = buildServiceRules(service, current);
  const movable = rules.map((rule) => rule.movable).filter((rule) => rule !== undefined);
  const naming = buildVersionNaming(service.namespace, movable);
  const families = familiesOf(movable).map((family) => {
    const familyRules = buildFamilyRules(movable, family, naming);
    return { family, familyRules, roles: buildFamilyRoles(familyRules) };
  });
  const previewRules = families.flatMap(({ roles }) => roles.previewRules);
  const preview = new Set(previewRules.map(({ rule }) => rule.rule));
  const previewed = new Set(previewRules.map((rule) => soleVersion(rule, "current")));
  const live = new Set(families.map(({ roles }) => roles.live));
  const publicRules = movable.filter(({ rule }) => !preview.has(rule));
  const versions = versionsOf(movable, naming).map((version): DescribedVersion => {
    const isPublic = publicRules.some(({ current }) => version.destinations.some((arm) => (current[arm] ?? 0) > 0));
    if (live.has(version.name) && isPublic) return { ...version, role: "live" };
    if (isPublic) return { ...version, role: "split" };
    return { ...version, role: previewed.has(version.name) ? "preview" : "idle" };
  });
  return {
    virtualService: service.virtualService,
    hosts: [...service.domains].toSorted(),
    live: families.find(({ roles }) => roles.live !== undefined)?.roles.live,
    versions,
    // All parts of a rule move together, so one tells of all.
    rules: rules.filter(isFirstPart).map(({ rule, ruleName, movable }) => ({
      rule,
      name: ruleName,
      role: roleOf(movable, preview),
      weights: movable === undefined ? {} : sharesOf(movable, movable.current, naming),
    })),
    isMoved: movable.some(({ declared, current }) => !isSameShare(declared, current)),
  };
}

function isFirstPart({ rule }: ServiceRule, index: number, rules: readonly ServiceRule[]): boolean {
  return rules[index - 1]?.rule !== rule;
}

/** Those with more than one version first: they are what can be moved. */
function familiesOf(movable: readonly MovableRule[]): readonly VersionFamily[] {
  const families = new Map<string, { family: VersionFamily; arms: Set<string> }>();
  for (const arm of movable.flatMap((rule) => rule.arms)) {
    const family = familyOfArm(arm);
    const found = families.get(familyKey(family)) ?? { family, arms: new Set<string>() };
    families.set(familyKey(family), { family, arms: found.arms.add(arm.destination) });
  }
  return [...families.values()]
    .toSorted((left, right) => Math.min(right.arms.size, 2) - Math.min(left.arms.size, 2))
    .map(({ family }) => family);
}

function roleOf(movable: MovableRule | undefined, preview: ReadonlySet<number>): DescribedRule["role"] {
  if (movable === undefined || movable.arms.length < 2) return "other";
  return preview.has(movable.rule) ? "preview" : "public";
}

function versionsOf(movable: readonly MovableRule[], naming: VersionNaming): readonly PlannedVersion[] {
  const versions = new Map<VersionName, Set<string>>();
  for (const arm of movable.flatMap((rule) => rule.arms)) {
    const name = versionOfArm(arm, naming);
    versions.set(name, (versions.get(name) ?? new Set<string>()).add(arm.destination));
  }
  return [...versions].map(([name, destinations]) => ({ name, destinations: [...destinations] }));
}
