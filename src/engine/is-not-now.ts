import { KirikaeError } from "../core/diagnostics/error.ts";

/** A release that cannot take an event will not take it later either. */
export function isNotNow(error: unknown): boolean {
  return error instanceof KirikaeError && error.code === "KIR2034";
}
