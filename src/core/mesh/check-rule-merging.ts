import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { type DestinationRuleManifest, resourceName } from "../manifest/manifest.ts";
import { selectorKey } from "./gateway-pods.ts";
import { resolveHost } from "./host-name.ts";
import type { Mesh } from "./mesh.ts";
import { resolveExports } from "./service-directory.ts";

/**
 * DestinationRules of one namespace and host that Istio reads as one, and of which it leaves parts out.
 * Source: Istio `pilot/pkg/model/destination_rule.go`, mergeDestinationRule.
 */
export function checkRuleMerging(mesh: Pick<Mesh, "destinationRules">): readonly Diagnostic[] {
  const groups = Map.groupBy(mesh.destinationRules, ({ metadata, spec }) =>
    JSON.stringify([
      metadata.namespace,
      resolveHost(spec.host, metadata.namespace),
      [...resolveExports(spec.exportTo, metadata.namespace)].toSorted(),
      spec.workloadSelector === undefined ? undefined : selectorKey(spec.workloadSelector),
    ]),
  );
  return [...groups.values()].filter(({ length }) => length > 1).flatMap((group) => checkGroup(group));
}

function checkGroup(group: readonly DestinationRuleManifest[]): readonly Diagnostic[] {
  const subsets = new Set<string>();
  let policy: DestinationRuleManifest | undefined;
  return group.flatMap((rule) => {
    const repeated = rule.spec.subsets.map(({ name }) => name).filter((name) => subsets.has(name));
    const lost = [
      ...(policy !== undefined && rule.spec.trafficPolicy !== undefined ? ["trafficPolicy"] : []),
      ...repeated.map((name) => `subset ${name}`),
    ];
    policy ??= rule.spec.trafficPolicy === undefined ? undefined : rule;
    for (const { name } of rule.spec.subsets) {
      subsets.add(name);
    }
    return lost.length === 0 ? [] : [reportLost(rule, group, lost)];
  });
}

function reportLost(
  rule: DestinationRuleManifest,
  group: readonly DestinationRuleManifest[],
  lost: readonly string[],
): Diagnostic {
  const [oldest = rule] = group;
  return diagnostic("KIR1231", {
    message: `Its ${listNames(lost)} ${lost.length === 1 ? "has" : "have"} no effect: ${resourceName(oldest)} (${renderPosition(oldest.at)}) is for the same host and older.`,
    hint: "Put everything for one host into one DestinationRule.",
    resource: resourceName(rule),
    at: rule.spec.hostAt,
  });
}
