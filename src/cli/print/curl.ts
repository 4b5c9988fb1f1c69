import type { CallerDetail } from "../../api/types.ts";
import type { AnswerCount } from "../commands/run-curl.ts";
import type { Ink } from "../ink.ts";
import type { CallerAnswer } from "../send-as-caller.ts";
import { renderTable } from "../terminal.ts";
import { asSentence } from "./words.ts";

/** What a caller without a sidecar has to be told: its requests reach every version, whatever the rules say. */
export function renderNoSidecar({ workload, withoutSidecar, hint, direct }: CallerDetail, ink: Ink): string {
  const where = direct === null ? "" : ` It reaches every endpoint of ${direct.host} in turn.`;
  const heading = `${ink.yellow("warning")} ${workload} has no sidecar: no rule of the mesh applies to what it sends.${where}`;
  return [heading, `  because ${asSentence(withoutSidecar ?? "")}`, `  ${hint ?? ""}`].join("\n");
}

/** The body alone, or with what came before it. */
export function renderCallerAnswer({ status, reason, headers, body }: CallerAnswer, withHead: boolean): string {
  const text = body.replace(/\n$/u, "");
  if (!withHead) return text;
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${reason}`.trimEnd(), ...lines, "", text].join("\n");
}

/** As `sort | uniq -c` would print it; the status is shown where it is not 200. */
export function renderCounts(answers: readonly AnswerCount[]): string {
  const width = Math.max(0, ...answers.map(({ count }) => String(count).length));
  return renderTable(
    answers.map(({ count, status, answer }) => [
      String(count).padStart(width),
      status === 200 ? answer : `${status} ${answer}`.trimEnd(),
    ]),
  );
}
