/** Requests that kirikae has sent by itself: `sent` is the sum of the other two. */
export interface ProbeFigures {
  readonly sent: number;
  /** Answered below 500. */
  readonly ok: number;
  readonly failed: number;
  /** Of the requests that were to be sent, those that were not, because the step was over. */
  readonly unsent: number;
  /** Why some failed, one line each; at most ten. */
  readonly failures: readonly string[];
}
