import type { UpEvent } from "../app-types.ts";
import { errorText } from "../core/diagnostics/error-text.ts";

/** A defect that one piece of work met; the rest goes on, because what runs is worth more than what failed. */
export function warnOfDefect(onEvent: (event: UpEvent) => void, doing: string): (error: unknown) => void {
  return (error) => {
    const message = errorText(error);
    onEvent({ kind: "warning", message: `${doing} failed: ${message}` });
  };
}
