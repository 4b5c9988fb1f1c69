import { KubeError } from "./kube-error.ts";

/** What a request carries to say who sends it. */
export interface Credential {
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Of the connection; PEM. */
  readonly certificate?: ClientCertificate | undefined;
}

export interface ClientCertificate {
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}

/** Asked before each request, because tokens change. Rejects with KIR4003. */
export interface Credentials {
  current(): Promise<Credential>;
  /** The API server has refused the last one. True where asking again may give another. */
  refused(): boolean;
}

/** Nothing was sent, so nothing is unknown: it counts as a refusal to sign in. */
export function noCredential(reason: string, cause?: unknown, hint?: string): KubeError {
  return new KubeError("KIR4003", `there are no credentials for the API server: ${reason}`, {
    exitStatus: 3,
    status: 401,
    reason: "NoCredentials",
    hint: hint ?? "try `kubectl get namespaces` with the same context: it needs the same credentials",
    cause,
  });
}
