/** How the process ends when this error reaches the top: 1 the answer is no, 2 wrong use or input, 3 the environment. */
export type ExitStatus = 1 | 2 | 3;

export interface KirikaeErrorOptions {
  readonly exitStatus: ExitStatus;
  /** What the user can do about it, in one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Facts for `--json` readers, such as the list of known names. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error that a user can meet: a stable code, one sentence of what happened, and what to do. */
export class KirikaeError extends Error {
  override readonly name = "KirikaeError";
  readonly code: string;
  readonly exitStatus: ExitStatus;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: KirikaeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.exitStatus = options.exitStatus;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
