import { catalogue, type DiagnosticCode } from "../../core/diagnostics/catalogue.ts";
import { errorCodes, type ErrorCode } from "../../core/diagnostics/error-codes.ts";
import { canBeSilenced, codesOf } from "../../core/diagnostics/suppression.ts";
import { nearestName } from "../../core/manifest/decode/nearest-name.ts";
import { printAnswer, type CommandContext, type JsonOption } from "../command.ts";
import { renderCodeMeaning } from "../print/code-meaning.ts";
import { usageError } from "../usage-error.ts";

/** What `--explain CODE --json` prints for each code that was meant. */
export interface CodeMeaning {
  readonly code: string;
  readonly istioCode: string | null;
  /** Null for a code that a command ends with. */
  readonly level: string | null;
  readonly title: string;
  readonly meaning: string;
  /** Whether the annotation kirikae.dev/ignore can silence it. */
  readonly canBeSilenced: boolean;
}

/** Prints what a code means, kirikae's or Istio's; of Istio's there may be several findings. */
export function explainCode(context: CommandContext, asked: string, options: JsonOption): void {
  const meanings = findMeanings(asked.trim().toUpperCase());
  if (meanings.length === 0) throw unknownCode(asked);
  const text = (ink: Parameters<typeof renderCodeMeaning>[1]) =>
    meanings.map((meaning) => renderCodeMeaning(meaning, ink)).join("\n");
  printAnswer(context, { exitStatus: 0, data: meanings, text }, options);
}

function findMeanings(code: string): readonly CodeMeaning[] {
  if (isErrorCode(code)) {
    return [{ code, istioCode: null, level: null, ...errorCodes[code], canBeSilenced: false }];
  }
  return codesOf(code).map(describeFinding);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

function describeFinding(code: DiagnosticCode): CodeMeaning {
  const { istioCode, level, title, meaning } = catalogue[code];
  return { code, istioCode: istioCode ?? null, level, title, meaning, canBeSilenced: canBeSilenced(code) };
}

function unknownCode(asked: string): Error {
  const istioCodes = Object.values(catalogue).flatMap(({ istioCode }) => istioCode ?? []);
  const known = [...Object.keys(catalogue), ...Object.keys(errorCodes), ...istioCodes];
  const nearest = nearestName(asked.toUpperCase(), known);
  const hint = nearest === undefined ? "docs/diagnostics.md lists them all." : `Did you mean ${nearest}?`;
  return usageError(`No finding or error has the code ${JSON.stringify(asked)}.`, hint);
}
