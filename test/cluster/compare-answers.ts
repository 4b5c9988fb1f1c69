import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ask, type AskOptions, type Outcome } from "./ask.ts";
import type { CaseRequest } from "./case-file.ts";

/** One request that the two sides answer differently. */
export interface AnswerDifference {
  readonly request: string;
  readonly istiod: readonly Outcome[];
  readonly kirikae: readonly Outcome[];
}

const attempts = 3;
/** Envoy's main thread confirms a change a moment before the last worker uses it. */
const pauseMs = 100;

/** One of several endpoints answers, so that a single answer of each side can differ by chance. */
const timesInDoubt = 24;

/** Asks both sides; a difference counts only when it stays. */
export async function compareAnswers(
  requests: readonly CaseRequest[],
  sides: { readonly istiod: AskOptions; readonly kirikae: AskOptions },
): Promise<readonly AnswerDifference[]> {
  const differences: AnswerDifference[] = [];
  for (const request of requests) {
    for (let attempt = 1; ; attempt += 1) {
      const asked = attempt === 1 ? request : { ...request, times: Math.max(request.times, timesInDoubt) };
      const istiod = await askOften(asked, sides.istiod);
      const kirikae = await askOften(asked, sides.kirikae);
      if (isDeepStrictEqual(istiod, kirikae)) break;
      if (attempt === attempts) {
        differences.push({ request: request.text, istiod, kirikae });
        break;
      }
      await delay(pauseMs);
    }
  }
  return differences;
}

/** The set of what came, because shares leave the order to chance. */
async function askOften(request: CaseRequest, options: AskOptions): Promise<readonly Outcome[]> {
  const outcomes = new Map<string, Outcome>();
  for (let time = 0; time < request.times; time += 1) {
    const outcome = await ask(request, options);
    outcomes.set(JSON.stringify(outcome), outcome);
  }
  return [...outcomes.entries()].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, outcome]) => outcome);
}
