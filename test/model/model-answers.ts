import type { JudgeAnswer } from "../../src/core/release/check/check-progress.ts";
import type { CountersByDestination } from "../../src/core/release/plan/count-versions.ts";
import type { DestinationId } from "../../src/core/routes/route-table.ts";

/** How the new version answers, as the proxies count it and as judges say: well and badly by turns where it flaps. */
export type Answers = "good" | "bad" | "flapping" | "none" | "unseen";

/** 50 requests a second to each, and every fifth of the new version's an error when it is bad. */
export function countAnswers(
  answers: Answers,
  { destinations, elapsedMs }: { readonly destinations: ReadonlySet<DestinationId>; readonly elapsedMs: number },
): CountersByDestination | undefined {
  if (answers === "unseen") return undefined;
  const requests = answers === "none" ? 0 : Math.floor(elapsedMs / 20);
  const badSeconds = answers === "flapping" ? Math.floor(elapsedMs / 2_000) : 0;
  const bad = answers === "bad" ? Math.floor(requests / 5) : badSeconds * 10;
  return new Map([...destinations].map((id) => [id, { requests, errors: isNew(id) ? bad : 0 }]));
}

export function judgeAnswers(answers: Answers, elapsedMs: number): JudgeAnswer {
  if (answers === "unseen") return { verdict: "unknown", detail: "it does not answer" };
  const isOddSecond = Math.floor(elapsedMs / 1_000) % 2 === 1;
  const isBad = answers === "bad" || (answers === "flapping" && isOddSecond);
  return isBad ? { verdict: "fail", detail: "no" } : { verdict: "pass", detail: "yes" };
}

function isNew(id: DestinationId): boolean {
  return id.includes("green") || id.includes("teal");
}
