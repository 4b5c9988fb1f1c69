import { errorText } from "../core/diagnostics/error-text.ts";
import { KubeError } from "./kube-error.ts";

export interface UnreachableServer {
  readonly context: string;
  readonly host: string;
  /** Where the time was up. */
  readonly timeoutMs?: number | undefined;
}

/** KIR4004 for what kept a request from being answered, with what can be done about each kind. */
export function unreachable(error: unknown, { context, host, timeoutMs }: UnreachableServer): KubeError {
  if (error instanceof KubeError) return error;
  const reason = timeoutMs === undefined ? errorText(error) : `no answer within ${timeoutMs / 1_000} s`;
  return new KubeError("KIR4004", `the API server ${host} of context ${context} gave no answer: ${reason}`, {
    exitStatus: 3,
    status: undefined,
    hint: hintOf(codeOf(error)),
    cause: error,
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return codeOf(error.cause);
}

function hintOf(code: string): string {
  if (/CERT|SELF_SIGNED|UNABLE_TO/u.test(code)) {
    return "the server's certificate does not fit certificate-authority or the server's name in the kubeconfig";
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its name is not known here: is a VPN or a proxy needed?";
  if (code === "ECONNREFUSED") return "nothing listens there: is the cluster running?";
  return "try `kubectl version` with the same context";
}
