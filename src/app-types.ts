import type { CallerStatus, GatewayAddress, MoveProgress, ServiceStatus } from "./api/types.ts";
import type { Diagnostic } from "./core/diagnostics/diagnostic.ts";

/** What `kirikae up` is asked for. */
export interface UpOptions {
  /** The folder of manifests to run. */
  readonly folder: string;
  /** The Envoy binary to use; found or fetched where it is undefined. */
  readonly envoy?: string | undefined;
  /** `80=8080`, or `namespace/name:80=9080` for one gateway. */
  readonly gatewayPorts: readonly string[];
  /** The API's port; undefined or 0 takes a free one. */
  readonly apiPort?: number | undefined;
  /** Who runs it: whom the link to the status page signs in. */
  readonly actor?: string | undefined;
  /** The namespace of manifests that name none. */
  readonly defaultNamespace: string;
  /** Sends steady traffic to the gateways. */
  readonly demo: boolean;
  /** Envoy's worker threads. */
  readonly concurrency?: number | undefined;
  /** Lets releases run programs as judges, with the rights of this process. */
  readonly allowsCommands?: boolean | undefined;
  /** Ends a start that is still under way; once `up` has returned, dispose what it returned. */
  readonly signal?: AbortSignal | undefined;
  onEvent(event: UpEvent): void;
}

/** What happens while a mesh runs, in the order it happens. `ready` comes once. */
export type UpEvent =
  | { readonly kind: "progress"; readonly message: string }
  | { readonly kind: "diagnostics"; readonly diagnostics: readonly Diagnostic[] }
  | ReadyEvent
  | { readonly kind: "manifestsApplied"; readonly summary: string; readonly diagnostics: readonly Diagnostic[] }
  /** Nothing changed: what ran before still runs. */
  | { readonly kind: "manifestsRefused"; readonly reason: string; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: "move"; readonly virtualService: string; readonly progress: MoveProgress }
  | { readonly kind: "envoy"; readonly state: "started" | "adopted" | "exited" | "restarting"; readonly detail: string }
  /** A line that a release wants to be told: what happened to it, for people. */
  | { readonly kind: "notice"; readonly line: string }
  | { readonly kind: "warning"; readonly message: string };

export interface ReadyEvent {
  readonly kind: "ready";
  /** Of the clusters that are moved from here; absent where the mesh is on this machine. */
  readonly contexts?: readonly string[];
  /** `http://127.0.0.1:N`. */
  readonly api: string;
  /** The page with a key that works once. */
  readonly pageUrl: string;
  readonly gateways: readonly GatewayAddress[];
  readonly services: readonly ServiceStatus[];
  /** Workloads that send requests inside the mesh. */
  readonly callers: readonly CallerStatus[];
  /** A request inside the mesh that a rule takes; undefined where there is none. */
  readonly callToTry: CallToTry | undefined;
}

export interface CallToTry {
  /** `namespace/name` of a workload with a sidecar. */
  readonly from: string;
  readonly url: string;
}

/** Disposing it stops everything that it started, and nothing else. */
export interface RunningMesh extends AsyncDisposable {
  /** Resolves when the mesh has stopped by itself or by disposal; rejects with why it could not go on. */
  readonly stopped: Promise<void>;
}
