import { type LinePlace, linePlaceOf } from "../diagnostics/position.ts";
import type { DestinationRuleManifest } from "../manifest/manifest.ts";
import type { TrafficPolicy, TrafficPolicyBlocks } from "../manifest/destination-rule.ts";
import { findDestinationRule, type MergedDestinationRule } from "../mesh/destination-rule-lookup.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { meshConfigOf } from "../mesh/sidecar-scope.ts";
import type { Destination } from "./route-table.ts";

/** The parts of a traffic policy, each of which is inherited whole. */
export const policyBlocks = ["loadBalancer", "connectionPool", "outlierDetection", "tls"] as const;

export type PolicyBlock = (typeof policyBlocks)[number];

/** Where one block of a destination's policy was written; undefined is Istio's default. */
export interface BlockOrigin {
  /** `namespace/name`. */
  readonly destinationRule: string;
  readonly subset: string | undefined;
  /** Set where it stands under portLevelSettings. */
  readonly port: number | undefined;
  readonly at: LinePlace;
}

export interface PolicyOrigins {
  /** The DestinationRules that count for this caller, `namespace/name`; empty for none. */
  readonly destinationRules: readonly string[];
  readonly blocks: Readonly<Record<PolicyBlock, BlockOrigin | undefined>>;
}

/**
 * Where each block of a destination's policy comes from, as `resolvePolicyBlocks` inherits them: settings for the port
 * replace all blocks of the rule, a subset replaces block by block, and settings for the port in it replace all again.
 */
export function findPolicyOrigins(
  mesh: Pick<Mesh, "destinationRules" | "manifests" | "services">,
  { host, subset, port }: Pick<Destination, "host" | "subset" | "port">,
  clientNamespace: string,
): PolicyOrigins {
  const merged = findDestinationRule(mesh, host, { clientNamespace, config: meshConfigOf(mesh) });
  const of = (block: PolicyBlock) => (merged === undefined ? undefined : originOf(merged, block, { subset, port }));
  return {
    destinationRules: (merged?.rules ?? []).map(nameOf),
    blocks: {
      loadBalancer: of("loadBalancer"),
      connectionPool: of("connectionPool"),
      outlierDetection: of("outlierDetection"),
      tls: of("tls"),
    },
  };
}

interface Part {
  readonly subset: string | undefined;
  readonly port: number;
}

function originOf(
  { rules, trafficPolicy }: MergedDestinationRule,
  block: PolicyBlock,
  { subset, port }: Part,
): BlockOrigin | undefined {
  const owner = rules.find(({ spec }) => spec.subsets.some(({ name }) => name === subset));
  const own = owner?.spec.subsets.find(({ name }) => name === subset)?.trafficPolicy;
  if (owner !== undefined && own !== undefined) {
    const found = locate(own, block, port);
    if (found !== "inherited") return found && { ...found, ...placeOf(owner), subset };
  }
  const rule = rules.find(({ spec }) => spec.trafficPolicy !== undefined);
  if (rule === undefined || trafficPolicy === undefined) return undefined;
  const found = locate(trafficPolicy, block, port);
  return found === "inherited" || found === undefined ? undefined : { ...found, ...placeOf(rule), subset: undefined };
}

/** Undefined where settings for the port say nothing of the block, which then has Istio's default. */
function locate(
  policy: TrafficPolicy,
  block: PolicyBlock,
  port: number,
): { readonly port: number | undefined } | "inherited" | undefined {
  const forPort: TrafficPolicyBlocks | undefined = policy.portLevelSettings.find((entry) => entry.port === port);
  if (forPort !== undefined) return forPort[block] === undefined ? undefined : { port };
  return policy[block] === undefined ? "inherited" : { port: undefined };
}

function placeOf(rule: DestinationRuleManifest): Pick<BlockOrigin, "destinationRule" | "at"> {
  return { destinationRule: nameOf(rule), at: linePlaceOf(rule.at) };
}

function nameOf({ metadata: { namespace, name } }: DestinationRuleManifest): string {
  return `${namespace}/${name}`;
}
