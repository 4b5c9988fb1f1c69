import { renderMatch } from "../../routes/match-request.ts";
import type { RouteTable, SplitId } from "../../routes/route-table.ts";
import { buildRoutedServices } from "../move/movable-rules.ts";
import { releasedServices, type ReleasePlan } from "./plan-release.ts";
import { renderList, renderRule } from "../move/refusals.ts";

/** Which requests one rule of a release takes. */
export interface RuleReach {
  readonly split: SplitId;
  /** `namespace/name`. */
  readonly virtualService: string;
  /** `rule 1 (public)`. */
  readonly rule: string;
  /** `every request of sample.hoge.com`. */
  readonly requests: string;
}

/** Hosts and matches of one rule that are written out. */
const shown = 4;

/** Which requests each rule of the VirtualServices of a release takes, as far as the rules before it leave them. */
export function describeReach(table: RouteTable, plan: Pick<ReleasePlan, "steps" | "spec">): readonly RuleReach[] {
  const services = releasedServices(plan);
  const reach = new Map<SplitId, RuleReach>();
  for (const { virtualService, domains, routes } of buildRoutedServices(table)) {
    if (!services.has(virtualService)) continue;
    for (const [rule, each] of routes) {
      const ruleName = each.find(({ origin }) => origin.ruleName !== undefined)?.origin.ruleName;
      for (const { action } of each) {
        if (action.kind !== "forward" || reach.has(action.split.id)) continue;
        const { id } = action.split;
        const own = each.filter((route) => route.action.kind === "forward" && route.action.split.id === id);
        const matches = [...new Set(own.map(({ match }) => renderMatch(match)))];
        reach.set(id, {
          split: id,
          virtualService,
          rule: renderRule({ rule, ruleName }),
          requests: renderRequests(matches, [...domains]),
        });
      }
    }
  }
  return [...reach.values()];
}

function renderRequests(matches: readonly string[], domains: readonly string[]): string {
  const conditions = matches.map((match) => (match === "every request" ? match : `requests with ${match}`));
  const more = conditions.length > shown ? [`${conditions.length - shown} more`] : [];
  const asked = [...conditions.slice(0, shown), ...more].join(", or ");
  return domains.length === 0 ? asked : `${asked} of ${renderList(domains, shown)}`;
}
