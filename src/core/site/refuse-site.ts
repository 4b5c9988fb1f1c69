import { KirikaeError } from "../diagnostics/error.ts";

/** Nothing was changed, and nothing is to be written. */
export interface SiteRefusal {
  readonly kind: "refused";
  readonly error: KirikaeError;
}

interface RefusalText {
  readonly message: string;
  readonly hint: string;
}

/** What was asked for cannot be written: exit status 2. */
export function refuseWrite(code: string, { message, hint }: RefusalText): SiteRefusal {
  return { kind: "refused", error: new KirikaeError(code, message, { exitStatus: 2, hint }) };
}

/** What is live is not what was asked about: exit status 1. */
export function refuseLive(code: string, { message, hint }: RefusalText): SiteRefusal {
  return { kind: "refused", error: new KirikaeError(code, message, { exitStatus: 1, hint }) };
}

/** Tells a refusal from what was asked for. */
export function isRefusal(value: unknown): value is SiteRefusal {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "refused";
}
