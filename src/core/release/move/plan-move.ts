import type { RouteTable, WeightOverrides } from "../../routes/route-table.ts";
import { chooseFamily, type ChosenFamily } from "./choose-family.ts";
import {
  buildRoutedServices,
  buildServiceRules,
  type MovableRule,
  type RoutedService,
  type ServiceRule,
} from "./movable-rules.ts";
import type { MovePlan, MoveRequest, VersionName } from "./move.ts";
import type { PastMove } from "./past-move.ts";
import { planChanges } from "./plan-changes.ts";
import { planRollback } from "./plan-rollback.ts";
import { planShares } from "./plan-shares.ts";
import { refuseBytes } from "./refuse-bytes.ts";
import { type Refusal, refuseInput, renderList, renderRule } from "./refusals.ts";
import { resolveService } from "./resolve-service.ts";
import { buildVersionNaming } from "./version-family.ts";

export interface MoveInput {
  /** With the weights that the manifests declare. */
  readonly table: RouteTable;
  /** Weights of earlier moves, laid over the declared ones. */
  readonly current: WeightOverrides;
  readonly request: MoveRequest;
  /** Earlier moves, oldest first; a rollback takes its weights from them. */
  readonly history?: readonly PastMove[];
}

export type MovePlanning = { readonly kind: "plan"; readonly plan: MovePlan } | Refusal;

/**
 * Decides what a switch, a shift or a rollback changes: every weight before and after, and what stays, with the reason.
 * Total over any request; what cannot be done is a refusal with a `KIR2xxx` code that lists what exists.
 *
 * Scenario A, `switch --to green`:
 *
 * | rule                          | role    | before    | after     |
 * |-------------------------------|---------|-----------|-----------|
 * | 0 `x-version: green`          | preview | green 100 | blue 100  |
 * | 1 (everybody)                 | public  | blue 100  | green 100 |
 *
 * Where the traffic already is as asked, the plan's changes have the same weights before and after: they are applied and
 * proved like any other, so that the answer is the data plane's and not memory's.
 */
export function planMove(input: MoveInput): MovePlanning {
  const { request, table, current } = input;
  const resolved = resolveService(buildRoutedServices(table), request, table.unserved);
  if (resolved.kind === "refused") return refuseBytes(table, request) ?? resolved;
  const { delegate } = request;
  const rules = buildServiceRules(resolved.service, current).filter(
    (rule) => delegate === undefined || rule.delegate === delegate,
  );
  if (request.verb === "rollback") {
    if (Object.keys(request.to).length > 0) {
      return refuseInput("KIR2006", "A rollback takes its weights from the history, and none from the request.", {
        hint: "Leave `to` empty.",
      });
    }
    return planRollback({ service: resolved.service, rules, request, history: input.history ?? [] });
  }
  return planForward({ table, service: resolved.service, rules, request });
}

interface ForwardInput {
  readonly table: RouteTable;
  readonly service: RoutedService;
  readonly rules: readonly ServiceRule[];
  readonly request: MoveRequest;
}

function planForward({ table, service, rules, request }: ForwardInput): MovePlanning {
  const movable = rules.map((rule) => rule.movable).filter((rule) => rule !== undefined);
  if (movable.length === 0) {
    return refuseInput("KIR2008", `${service.virtualService} has no rule that forwards traffic.`, {
      hint: "Only rules with destinations can be moved.",
    });
  }
  const route = findRoute(request.route, rules, service);
  if (route.kind === "refused") return route;
  const invalid = checkShares(request);
  if (invalid !== undefined) return invalid;

  const { virtualService, namespace } = service;
  const naming = buildVersionNaming(namespace, movable);
  const chosen = chooseFamily({ virtualService, rules: movable, naming, to: request.to, route: route.rule });
  if (chosen.kind === "refused") return chosen;
  const shares = planShares({ chosen, virtualService, isRouteAlone: route.rule?.isConditional ?? false });
  if (shares.kind === "refused") return shares;
  const planned = planChanges({ table, shares, wanted: largestOf(chosen.named), virtualService });
  if (planned.kind === "refused") return planned;

  const { from, to, changes, stays, versions } = planned;
  const plan: MovePlan = {
    verb: request.verb,
    virtualService,
    from,
    to,
    changes,
    stays: eachOnce([...stays, ...staysOutside(rules, chosen)]).toSorted((left, right) => left.rule - right.rule),
    versions,
    actor: request.actor,
    reason: request.reason,
  };
  return { kind: "plan", plan };
}

function findRoute(
  text: string | undefined,
  rules: readonly ServiceRule[],
  service: RoutedService,
): { readonly kind: "route"; readonly rule: MovableRule | undefined } | Refusal {
  if (text === undefined) return { kind: "route", rule: undefined };
  const byName = rules.filter((rule) => rule.ruleName === text);
  const [found] = byName.length > 0 ? byName : rules.filter((rule) => String(rule.rule) === text);
  if (found === undefined) {
    return refuseInput("KIR2005", `${service.virtualService} has no rule ${text}.`, {
      hint: `It has ${renderList(rules.map(renderRule))}.`,
      details: { known: rules.map(({ rule, ruleName }) => ({ rule, name: ruleName })) },
    });
  }
  if (found.movable === undefined) {
    return refuseInput("KIR2008", `${renderRule(found)} of ${service.virtualService} forwards nothing.`, {
      hint: "It answers by itself, so there is no traffic to move.",
    });
  }
  return { kind: "route", rule: found.movable };
}

/** Percentages have at most two decimals and add up to at most 100; a switch names one version and nothing else. */
function checkShares({ verb, to }: MoveRequest): Refusal | undefined {
  const entries = Object.entries(to);
  if (verb === "switch" && entries.length !== 1) {
    return refuseInput("KIR2006", "A switch goes to exactly one version.", {
      hint: "Use --to VERSION; `shift --to a=60,b=40` divides traffic.",
    });
  }
  const [whole] = entries;
  if (verb === "switch" && whole !== undefined && whole[1] !== 100) {
    return refuseInput("KIR2006", `A switch moves everything, so ${whole[0]} cannot get ${whole[1]} %.`, {
      hint: "Give the version 100, or use a shift.",
    });
  }
  if (entries.length === 0) {
    return refuseInput("KIR2006", "A shift needs at least one version with its share.", {
      hint: "Use --to VERSION=PERCENT.",
    });
  }
  if (verb === "switch") return undefined;
  const wrong = entries.find(([, percent]) => !isPercent(percent));
  if (wrong !== undefined) {
    return refuseInput("KIR2006", `${wrong[0]}=${wrong[1]} is not a percentage.`, {
      hint: "Use a number from 0 to 100 with at most two decimals.",
    });
  }
  const sum = entries.reduce((total, [, percent]) => total + Math.round(percent * 100), 0);
  if (sum > 10_000) {
    return refuseInput("KIR2006", `The shares add up to ${sum / 100} %, more than all traffic.`, {
      hint: "They may add up to 100 at most; the live version takes the rest.",
    });
  }
  return undefined;
}

function largestOf(named: ReadonlyMap<VersionName, number>): VersionName {
  const ranked = [...named].toSorted(([, left], [, right]) => right - left);
  return ranked[0]?.[0] ?? "";
}

function isPercent(value: number): boolean {
  // Half of the smallest step of a double near 100: binary fractions pass, and what would be rounded away does not.
  return value >= 0 && value <= 100 && Math.abs(value - Math.round(value * 100) / 100) <= (value * Number.EPSILON) / 2;
}

/** Parts of one rule stay for one reason. */
function eachOnce(stays: MovePlan["stays"]): MovePlan["stays"] {
  return [...new Map(stays.map((stay) => [`${stay.rule} ${stay.reason}`, stay])).values()];
}

function staysOutside(rules: readonly ServiceRule[], chosen: ChosenFamily): MovePlan["stays"] {
  const inFamily = new Set(chosen.rules.map(({ rule }) => rule.rule));
  const apart = new Set(chosen.apart.map(({ rule }) => rule.rule));
  return rules
    .filter(({ rule }) => !inFamily.has(rule))
    .map(({ rule, ruleName, movable }) => {
      if (movable === undefined) return { rule, ruleName, reason: "It answers by itself and forwards nothing." };
      if (apart.has(rule)) return { rule, ruleName, reason: "It is another route than the one that is moved." };
      return { rule, ruleName, reason: "It has no destination that is a version of what is moved." };
    });
}
