import type { Check, JudgeQuestion, TemplateName } from "../../manifest/release.ts";
import { nameDestination } from "../../routes/name-destination.ts";
import type { ReleasePlan } from "./plan-release.ts";

export type TemplateValues = Readonly<Record<TemplateName, string>>;

/** What the templates of a check stand for. */
export function templateValues(
  { release, to, steps }: ReleasePlan,
  { durationMs }: Pick<Check, "durationMs">,
): TemplateValues {
  const [namespace = "", name = ""] = release.split("/");
  const move = steps.flatMap((step) => ("moves" in step ? step.moves : []))[0];
  const destination = move?.versions.find((version) => version.name === to || version.name === move.to)
    ?.destinations[0];
  const host = destination === undefined ? "" : nameDestination(destination).host;
  return {
    release,
    namespace,
    name,
    to,
    from: move?.from ?? "",
    service: host.split(".")[0] ?? "",
    host,
    duration: durationMs % 1_000 === 0 ? `${durationMs / 1_000}s` : `${durationMs}ms`,
  };
}

/** The question with each template replaced; in an address, by what means the same within one. */
export function fillTemplates(question: JudgeQuestion, values: TemplateValues): JudgeQuestion {
  const fill = (text: string): string => replaceTemplates(text, values);
  const fillUrl = (text: string): string => replaceTemplates(text, values, encodeURIComponent);
  switch (question.kind) {
    case "prometheus":
      return {
        ...question,
        address: fillUrl(question.address),
        query: fill(question.query),
        headers: fillEach(question.headers, fill),
      };
    case "http": {
      const body = question.body === undefined ? undefined : fill(question.body);
      return { ...question, url: fillUrl(question.url), headers: fillEach(question.headers, fill), body };
    }
    case "command":
      return { ...question, command: question.command.map(fill) };
  }
}

function fillEach(texts: Readonly<Record<string, string>>, fill: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]));
}

function replaceTemplates(text: string, values: TemplateValues, escape = (value: string): string => value): string {
  const known = new Map<string, string>(Object.entries(values));
  return text.replaceAll(/\{\{\s*([\w.-]+)\s*\}\}/gu, (written, name: string) => {
    const value = known.get(name);
    return value === undefined ? written : escape(value);
  });
}
