import { KirikaeError, type ExitStatus } from "../core/diagnostics/error.ts";

/** The body of every answer that is not a success, and the last line of a move that ended in an error. */
export interface ApiErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** How a command that met this error ends. */
  readonly exitStatus: ExitStatus;
}

/** An error of the API itself, which knows its own HTTP status. */
export class ApiError extends KirikaeError {
  readonly status: number;

  constructor(code: string, message: string, options: ApiErrorOptions) {
    super(code, message, options);
    this.status = options.status;
  }
}

interface ApiErrorOptions {
  readonly details?: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly exitStatus: ExitStatus;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The one door from whatever was thrown to what a client may see. A defect's own text stays in the log. */
export function toErrorBody(error: unknown): { readonly status: number; readonly body: ApiErrorBody } {
  const known = toKirikaeError(error);
  return {
    status: known instanceof ApiError ? known.status : statusOf[known.exitStatus],
    body: {
      code: known.code,
      message: known.message,
      hint: known.hint ?? null,
      details: known.details,
      exitStatus: known.exitStatus,
    },
  };
}

function toKirikaeError(error: unknown): KirikaeError {
  if (error instanceof KirikaeError) return error;
  const rejection = fastifyRejection(error);
  if (rejection !== undefined) return rejection;
  return new ApiError("KIR5058", "Something inside kirikae failed while it answered this request.", {
    status: 500,
    exitStatus: 3,
    hint: "The terminal of `kirikae up` says more.",
    cause: error,
  });
}

/** Fastify's own 4xx answers (body too large, bad JSON, schema, content type) are the client's mistakes. */
function fastifyRejection(error: unknown): ApiError | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  const status = error.statusCode;
  if (typeof status !== "number" || status < 400 || status > 499) return undefined;
  return new ApiError("KIR5054", error.message, { status, exitStatus: 2, hint: "docs/api.md describes the request." });
}

const statusOf: Readonly<Record<ExitStatus, number>> = { 1: 409, 2: 422, 3: 503 };
