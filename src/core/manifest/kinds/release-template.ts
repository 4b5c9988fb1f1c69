import { transform } from "../decode/collections.ts";
import { type DecodeContext, type Decoder, type Invalid, type Place, reportValue } from "../decode/decoder.ts";
import { didYouMean } from "../decode/nearest-name.ts";
import { string } from "../decode/scalars.ts";
import type { TemplateName } from "../release.ts";

const templateNames = [
  "release",
  "namespace",
  "name",
  "to",
  "from",
  "service",
  "host",
  "duration",
] as const satisfies readonly TemplateName[];

const template = /\{\{\s*([\w.-]*)\s*\}\}/gu;

/** Text in which `{{to}}` and the like stand for what a release is about. */
export const templated: Decoder<string> = transform(string, checkTemplates);

function checkTemplates(text: string, place: Place, context: DecodeContext): string | Invalid {
  for (const [written, name = ""] of text.matchAll(template)) {
    if (templateNames.some((known) => known === name)) continue;
    const known = templateNames.map((each) => `{{${each}}}`).join(", ");
    return reportValue(place, context, {
      complaint: `has the template ${written.slice(0, 60)}, which is none of ${known}`,
      hint: () => didYouMean(name, templateNames),
    });
  }
  return text;
}

/** The same text with something harmless in the place of each template. */
export function withoutTemplates(text: string): string {
  return text.replaceAll(template, "x");
}
