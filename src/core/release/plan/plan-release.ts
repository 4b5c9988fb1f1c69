import { KirikaeError } from "../../diagnostics/error.ts";
import type { ObjectMeta } from "../../manifest/manifest.ts";
import type {
  AnswerComparison,
  Approval,
  Bake,
  Check,
  Hold,
  ReleaseRoute,
  ReleaseSpec,
} from "../../manifest/release.ts";
import type { AffinityAddition, MirrorAddition, PreviewAddition } from "../../routes/route-addition.ts";
import type { RouteTable, SplitId, WeightOverrides } from "../../routes/route-table.ts";
import { expandDelegates } from "../move/expand-delegates.ts";
import { expandSites } from "../site/expand-sites.ts";
import type { FindDestinationRule } from "../subset/subset-edit.ts";
import { planSubsetStep, type SubsetStep } from "../subset/plan-subset-step.ts";
import { type ExpandedStep, expandStrategy, type MovingStep } from "./expand-strategy.ts";
import { movedServices, type MovePlan, type MoveRequest, type VersionName } from "../move/move.ts";
import { planAddition } from "./plan-addition.ts";
import { planMove } from "../move/plan-move.ts";
import type { Refusal } from "../move/refusals.ts";
import { siteOf } from "../../routes/site-names.ts";
import { refuseBlindChecks } from "./refuse-blind-checks.ts";

/** A release, decided in full before anything is touched. */
export interface ReleasePlan {
  /** `namespace/name`. */
  readonly release: string;
  readonly to: VersionName;
  readonly steps: readonly PlannedStep[];
  /** What was asked for, so that a step can be planned again from what is live when it begins. */
  readonly spec: ReleaseSpec;
}

export type PlannedStep =
  /** One plan a route; all are applied at once. Each holds the weights before, which undo it. */
  | {
      readonly kind: "weight" | "switch";
      readonly moves: readonly MovePlan[];
      /** The context of the one site that it moves, where a release moves several one after the other. */
      readonly site?: string;
    }
  | { readonly kind: "preview"; readonly addition: PreviewAddition }
  /** An addition of 0 percent ends what an earlier one began. */
  | { readonly kind: "mirror"; readonly addition: MirrorAddition; readonly compare: AnswerComparison | undefined }
  | { readonly kind: "affinity"; readonly addition: AffinityAddition }
  | { readonly kind: "finish" }
  | SubsetStep
  | ({ readonly kind: "hold" } & Hold)
  | ({ readonly kind: "approve" } & Approval)
  | ({ readonly kind: "check" } & Check)
  | ({ readonly kind: "bake" } & Bake);

/** Plans are immutable, and each is asked again whenever another release begins. */
const services = new WeakMap<Pick<ReleasePlan, "steps" | "spec">, ReadonlySet<string>>();

/** Every VirtualService that a release moves, or adds routes to. */
export function releasedServices(plan: Pick<ReleasePlan, "steps" | "spec">): ReadonlySet<string> {
  const known = services.get(plan);
  if (known !== undefined) return known;
  const moved = plan.steps.flatMap((step) => ("moves" in step ? step.moves.flatMap(movedServices) : []));
  const named = plan.spec.routes.map(({ namespace, virtualService }) => `${namespace}/${virtualService}`);
  const found = new Set([...moved, ...named]);
  services.set(plan, found);
  return found;
}

/** A Release as far as planning goes. */
interface ReleaseObject {
  readonly metadata: Pick<ObjectMeta, "namespace" | "name">;
  readonly spec: ReleaseSpec;
}

export interface ReleaseInput {
  /** With the weights that the manifests declare. */
  readonly table: RouteTable;
  /** Weights of earlier moves, laid over the declared ones. */
  readonly current: WeightOverrides;
  readonly release: ReleaseObject;
  readonly actor: string;
  /** What is moved is no mesh of folders; absent is one. */
  readonly sites?: PlannedSites | undefined;
}

/** The clusters that can be moved. */
export interface PlannedSites {
  /** Their contexts. Where there are several, all names of the table are qualified. */
  readonly contexts: readonly string[];
  readonly findDestinationRule: FindDestinationRule;
}

export type ReleasePlanning = { readonly kind: "plan"; readonly plan: ReleasePlan } | Refusal;

/**
 * Plans every step of a release from what is live now, each from where the one before leaves the traffic. A step that
 * cannot be planned refuses the whole release, so that none begins that cannot end.
 */
export function planRelease(given: ReleaseInput): ReleasePlanning {
  const { metadata, spec } = given.release;
  const expanded = expandSites(spec, given.sites?.contexts);
  if (expanded.kind === "refused") return expanded;
  const release = { metadata, spec: { ...expanded.spec, routes: expandDelegates(expanded.spec.routes, given.table) } };
  const input = { ...given, release };
  let { current } = input;
  const steps: PlannedStep[] = [];
  for (const step of expandStrategy(release.spec)) {
    if (step.kind === "preview" || step.kind === "mirror" || step.kind === "affinity") {
      const addition = planAddition(step, { ...input, current });
      if (addition.kind === "refused") return refuseStep(addition, { release, step, number: steps.length + 1 });
      steps.push(addition.step);
      continue;
    }
    if (step.kind === "subsets") {
      const subsets = planSubsets(step, { ...input, current });
      if (subsets.kind === "refused") return refuseStep(subsets, { release, step, number: steps.length + 1 });
      steps.push(subsets.step);
      continue;
    }
    if (step.kind !== "weight" && step.kind !== "switch") {
      steps.push(step);
      continue;
    }
    const moves = planStep(step, { ...input, current, isFirst: !steps.some((before) => "moves" in before) });
    if (moves.kind === "refused") return refuseStep(moves, { release, step, number: steps.length + 1 });
    steps.push({ kind: step.kind, moves: moves.plans, ...(step.site !== undefined && { site: step.site }) });
    current = new Map([
      ...current,
      ...moves.plans.flatMap(({ changes }) => changes.map(({ split, after }) => [split, after] as const)),
    ]);
  }
  const { namespace, name } = release.metadata;
  const plan: ReleasePlan = { release: `${namespace}/${name}`, to: release.spec.to, steps, spec: release.spec };
  return refuseBlindChecks(plan, input.table) ?? { kind: "plan", plan };
}

function planSubsets(
  { does }: Extract<ExpandedStep, { readonly kind: "subsets" }>,
  { table, current, release, sites }: ReleaseInput,
): ReturnType<typeof planSubsetStep> {
  const findDestinationRule = sites?.findDestinationRule ?? (() => undefined);
  return planSubsetStep({ does, changes: release.spec.subsets ?? [], table, current, findDestinationRule });
}

interface StepInput extends ReleaseInput {
  /** Whether nothing of the release has moved yet. */
  readonly isFirst: boolean;
}

/** Plans one step from what is live: one plan a route. */
export function planStep(
  step: MovingStep,
  input: StepInput,
): { readonly kind: "plans"; readonly plans: readonly MovePlan[] } | Refusal {
  const { table, current, release } = input;
  const plans: MovePlan[] = [];
  const taken = new Map<SplitId, string>();
  for (const route of routesOf(step, release.spec.routes)) {
    const planning = planMove({ table, current, request: buildRequest(step, route, input) });
    if (planning.kind === "refused") return planning;
    const plan = withProof(planning.plan, release.spec);
    const { from, to } = release.spec;
    if (input.isFirst && from !== undefined && plan.from !== from && plan.from !== to) {
      return refuse("KIR2030", `${plan.from} is live at ${plan.virtualService}, not ${from}.`, {
        hint: "Correct `from`, or leave it out to release over whatever is live.",
      });
    }
    const shared = plan.changes.find(({ split }) => taken.has(split));
    if (shared !== undefined) {
      return refuse("KIR2031", `${renderRoute(route)} and ${taken.get(shared.split) ?? ""} move the same rule.`, {
        hint: "Name each rule once.",
      });
    }
    for (const { split } of plan.changes) taken.set(split, renderRoute(route));
    plans.push(plan);
  }
  return { kind: "plans", plans };
}

/** Those of the step's site, where it has one. */
function routesOf({ site }: MovingStep, routes: readonly ReleaseRoute[]): readonly ReleaseRoute[] {
  return site === undefined ? routes : routes.filter(({ namespace }) => siteOf(namespace) === site);
}

/** What the Release says of its proof and of who may be overruled goes wherever its weights go. */
function withProof(plan: MovePlan, { proof, takeOver }: ReleaseSpec): MovePlan {
  return { ...plan, ...(proof !== undefined && { proof }), ...(takeOver !== undefined && { takeOver }) };
}

function buildRequest(step: MovingStep, route: ReleaseRoute, { release, actor }: StepInput): MoveRequest {
  const { to } = release.spec;
  const { namespace, name } = release.metadata;
  const { virtualService, ...rest } = route;
  const where = { name: virtualService, ...rest };
  const who = { actor, reason: `release ${namespace}/${name}` };
  if (step.kind === "switch") return { verb: "switch", to: { [to]: 100 }, ...where, ...who };
  const shares = typeof step.shares === "number" ? { [to]: step.shares } : step.shares;
  return { verb: "shift", to: shares, ...where, ...who };
}

function refuse(code: string, message: string, { hint }: { readonly hint: string }): Refusal {
  return { kind: "refused", error: new KirikaeError(code, message, { exitStatus: 2, hint }) };
}

/** The same error, with the step in front of it. */
function refuseStep(
  { error }: Refusal,
  { release, step, number }: { readonly release: ReleaseObject; readonly step: ExpandedStep; readonly number: number },
): Refusal {
  const { exitStatus, hint, details } = error;
  const message = `Step ${number} (${step.kind}) of ${release.metadata.name}: ${error.message}`;
  const options = { exitStatus, details: { ...details, step: number }, ...(hint === undefined ? {} : { hint }) };
  return { kind: "refused", error: new KirikaeError(error.code, message, options) };
}

function renderRoute({ namespace, virtualService, route }: ReleaseRoute): string {
  return route === undefined ? `${namespace}/${virtualService}` : `${namespace}/${virtualService} ${route}`;
}
