import { KirikaeError } from "../core/diagnostics/error.ts";

/** Whether the journal could not be written, which says nothing of what was under way: its weights may well be live. */
export function isUnwritten(error: unknown): boolean {
  return error instanceof KirikaeError && (error.code === "KIR2023" || error.code === "KIR2024");
}
