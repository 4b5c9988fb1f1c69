import { KirikaeError, type KirikaeErrorOptions } from "../core/diagnostics/error.ts";

export interface KubeErrorOptions extends KirikaeErrorOptions {
  /** Of HTTP; undefined where there was no answer. */
  readonly status: number | undefined;
  /** `Conflict`, `Expired`, `Forbidden`: the reason in the API's own Status. */
  readonly reason?: string | undefined;
}

/** What the API server refused, or that it cannot be reached. */
export class KubeError extends KirikaeError {
  readonly status: number | undefined;
  readonly reason: string | undefined;

  constructor(code: string, message: string, options: KubeErrorOptions) {
    super(code, message, options);
    this.status = options.status;
    this.reason = options.reason;
  }

  /** There was no answer, or one that says to come back later: nothing is known of what became of the request. */
  get isUnreachable(): boolean {
    return this.status === undefined || this.status === 429 || this.status >= 500;
  }

  /** The server no longer knows what happened since then (410 Gone): list again. */
  get isExpired(): boolean {
    return this.status === 410;
  }
}
