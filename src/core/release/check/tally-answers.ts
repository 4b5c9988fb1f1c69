import type { ExternalJudge } from "../../manifest/release.ts";
import type { JudgeAnswer, JudgeTally } from "./check-progress.ts";
import type { Judgement } from "./judge-version.ts";

export const nothingAsked: JudgeTally = { asked: 0, passed: 0, failed: 0, inconclusive: 0, detail: undefined };

export function addAnswer(tally: JudgeTally, { verdict, detail }: JudgeAnswer): JudgeTally {
  return {
    asked: tally.asked + 1,
    passed: tally.passed + (verdict === "pass" ? 1 : 0),
    failed: tally.failed + (verdict === "fail" ? 1 : 0),
    inconclusive: tally.inconclusive + (verdict === "unknown" ? 1 : 0),
    detail,
  };
}

/**
 * What a judge has come to; undefined while it is to be asked again. Silence is no consent: without one yes it does not
 * pass, however much silence it may keep.
 */
export function concludeTally(judge: ExternalJudge, tally: JudgeTally, isOver: boolean): Judgement | undefined {
  const { name, failureLimit, inconclusiveLimit, count } = judge;
  const because = tally.detail === undefined ? "" : `: ${tally.detail}`;
  if (tally.failed > failureLimit) {
    return { verdict: "fail", detail: `the judge ${name} said no ${times(tally.failed)}${because}` };
  }
  if (tally.inconclusive > inconclusiveLimit) {
    return { verdict: "unknown", detail: `the judge ${name} could not say ${times(tally.inconclusive)}${because}` };
  }
  const hasEnded = tally.asked > 0 && (count === undefined ? isOver : tally.asked >= count);
  if (!hasEnded) return undefined;
  return tally.passed > 0
    ? { verdict: "pass", detail: `the judge ${name} said yes ${times(tally.passed)}` }
    : { verdict: "unknown", detail: `the judge ${name} never said yes${because}` };
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
