import type { Approval, Gates, ReleaseStep, ReleaseStrategy } from "../manifest/release.ts";

/** What is left of the steps after something was read from their beginning. */
interface Reading<T> {
  readonly read: T;
  readonly rest: readonly ReleaseStep[];
}

/** The preset that stands for exactly these steps, because it is shorter to read; else the steps themselves. */
export function chooseStrategy(steps: readonly ReleaseStep[]): ReleaseStrategy {
  const preset = chooseAbTest(steps) ?? chooseMirrorFirst(steps) ?? chooseCanary(steps);
  return preset ?? { kind: "steps", steps };
}

function chooseCanary(steps: readonly ReleaseStep[]): ReleaseStrategy | undefined {
  const stages = readStages(steps);
  const approve = readEnd(stages.rest);
  return stages.read === undefined || approve === "more" ? undefined : { kind: "canary", ...stages.read, approve };
}

function chooseAbTest([first, ...others]: readonly ReleaseStep[]): ReleaseStrategy | undefined {
  if (first?.kind !== "preview") return undefined;
  const gates = readGates(others);
  const approve = readEnd(gates.rest);
  const { name, match } = first;
  return approve === "more" ? undefined : { kind: "abTest", preview: { name, match }, ...gates.read, approve };
}

/** Copies and shares have the same gates in it. */
function chooseMirrorFirst([first, ...others]: readonly ReleaseStep[]): ReleaseStrategy | undefined {
  if (first?.kind !== "mirror") return undefined;
  const gates = readGates(others);
  const [end, ...rest] = gates.rest;
  const stages = readStages(rest);
  const approve = readEnd(stages.rest);
  if (end?.kind !== "mirror" || end.percent !== 0 || stages.read === undefined || approve === "more") return undefined;
  const { hold, check, weights } = stages.read;
  if (JSON.stringify(gates.read) !== JSON.stringify({ hold, check })) return undefined;
  const { percent, methods, compare } = first;
  return { kind: "mirrorFirst", mirror: { percent, methods, compare }, weights, hold, check, approve };
}

type StageGates = Pick<Gates, "hold" | "check">;

/** Rising shares, each with the same gates. */
function readStages(
  steps: readonly ReleaseStep[],
): Reading<(StageGates & { readonly weights: readonly number[] }) | undefined> {
  const weights: number[] = [];
  let gates: StageGates = { hold: undefined, check: undefined };
  let rest = steps;
  for (let [step, ...after] = rest; step?.kind === "weight"; [step, ...after] = rest) {
    const { shares } = step;
    const own = readGates(after);
    const isRising = typeof shares === "number" && shares > (weights.at(-1) ?? 0) && shares < 100;
    const isSame = weights.length === 0 || JSON.stringify(own.read) === JSON.stringify(gates);
    if (!isRising || !isSame) return { read: undefined, rest: steps };
    weights.push(shares);
    gates = own.read;
    rest = own.rest;
  }
  return { read: weights.length === 0 ? undefined : { ...gates, weights }, rest };
}

function readGates(steps: readonly ReleaseStep[]): Reading<StageGates> {
  const [first, ...others] = steps;
  const hold = first?.kind === "hold" ? { durationMs: first.durationMs } : undefined;
  const rest = hold === undefined ? steps : others;
  const [second, ...after] = rest;
  if (second?.kind !== "check") return { read: { hold, check: undefined }, rest };
  return { read: { hold, check: second }, rest: after };
}

/** One approval at most, then everything, and nothing after it. */
function readEnd(steps: readonly ReleaseStep[]): Approval | undefined | "more" {
  const [first, ...others] = steps;
  if (first?.kind === "switch") return others.length === 0 ? undefined : "more";
  if (first?.kind !== "approve" || others[0]?.kind !== "switch" || others.length > 1) return "more";
  return first;
}
