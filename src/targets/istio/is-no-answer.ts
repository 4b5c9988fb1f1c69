import { KirikaeError } from "../../core/diagnostics/error.ts";

/**
 * Whether istiod or a proxy gave no answer, or one that was cut off or is another program's; anything else that is thrown
 * is a mistake of ours, and nothing that an operator could do away with.
 */
export function isNoAnswer(error: unknown): error is Error {
  return error instanceof KirikaeError || error instanceof SyntaxError || isAborted(error);
}

/** Somebody no longer waits for it. */
function isAborted(error: unknown): boolean {
  return error instanceof DOMException && (error.name === "AbortError" || error.name === "TimeoutError");
}
