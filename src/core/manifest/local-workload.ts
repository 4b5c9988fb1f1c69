/** `kirikae.dev/v1alpha1` LocalWorkload: where the pods of a Deployment live on a laptop. */
export interface LocalWorkloadSpec {
  /** The pod labels, which Services and subsets select by. */
  readonly labels: Readonly<Record<string, string>>;
  /** The `targetPort` (number or name) of the Services that these endpoints serve; undefined serves every port. */
  readonly targetPort: number | string | undefined;
  readonly source: LocalWorkloadSource;
}

export type LocalWorkloadSource =
  | { readonly kind: "addresses"; readonly addresses: readonly HostPort[]; readonly readiness: HttpReadiness }
  | ({ readonly kind: "command" } & LocalCommand);

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** A process that `up` starts once per replica, with `$PORT` in its environment and in its arguments. */
export interface LocalCommand {
  readonly command: readonly string[];
  /** Relative to the folder of the file that declares it; undefined is that folder itself. */
  readonly workingDirectory: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly readiness: HttpReadiness;
}

/** A replica is ready once GET `path` answers below 400; without a path, once its port accepts a connection. */
export interface HttpReadiness {
  readonly path: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}
