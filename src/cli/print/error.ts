import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { Ink } from "../ink.ts";

/** What went wrong, under its code, and what to do about it. */
export function renderError(error: KirikaeError, ink: Ink): string {
  const head = `${ink.red("error")} ${ink.bold(error.code)} ${error.message}`;
  return error.hint === undefined ? head : `${head}\n  ${ink.dim("hint:")} ${error.hint}`;
}

/** The same for scripts, on stdout. */
export function errorToJson(error: KirikaeError): Readonly<Record<string, unknown>> {
  const { code, message, details } = error;
  return { ok: false, error: { code, message, hint: error.hint ?? null, details } };
}

/** The one door from whatever was thrown to an error with a code. */
export function asKirikaeError(error: unknown): KirikaeError {
  if (error instanceof KirikaeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new KirikaeError("KIR5058", `Unexpected: ${message}`, {
    exitStatus: 3,
    hint: "This is a defect of kirikae. KIRIKAE_DEBUG=1 prints where it happened.",
    cause: error,
  });
}
