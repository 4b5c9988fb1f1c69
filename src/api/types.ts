import type { MovePlan, MoveRequest, VersionName } from "../core/release/move.ts";
import type { ProxyStatus } from "../engine/ports.ts";
import type { HistoryEntry, MoveProgress, MoveResult } from "../engine/report.ts";

/** What the API answers and streams; the CLI's `--json` prints the same shapes. Types only: the page shares them. */

export interface Status {
  /** Where requests enter, one entry a gateway server. */
  readonly gateways: readonly GatewayAddress[];
  readonly services: readonly ServiceStatus[];
  readonly proxies: readonly ProxyStatus[];
  readonly workloads: readonly WorkloadStatus[];
  /** Errors of the last saved manifests, when they were refused and the earlier ones still run. */
  readonly refusedManifests: readonly string[];
}

export interface GatewayAddress {
  /** `namespace/name`. */
  readonly gateway: string;
  readonly server: string;
  readonly hosts: readonly string[];
  /** The port as manifests name it. */
  readonly port: number;
  /** Where it listens on this machine, `127.0.0.1:8080`. */
  readonly address: string;
}

/** One VirtualService whose traffic can be moved, and where it is. */
export interface ServiceStatus {
  /** `namespace/name` of the VirtualService. */
  readonly virtualService: string;
  readonly hosts: readonly string[];
  readonly live: VersionName | undefined;
  readonly versions: readonly VersionStatus[];
  readonly rules: readonly RuleStatus[];
  /** True when the weights differ from what the manifest declares. */
  readonly isMoved: boolean;
}

export interface VersionStatus {
  readonly name: VersionName;
  readonly role: "live" | "idle" | "preview" | "split";
  readonly readyEndpoints: number;
  readonly endpoints: number;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
}

interface RuleStatus {
  readonly rule: number;
  readonly name: string | undefined;
  readonly role: "public" | "preview" | "other";
  readonly weights: Readonly<Record<VersionName, number>>;
}

export interface WorkloadStatus {
  readonly name: string;
  readonly replicas: readonly ReplicaStatus[];
}

interface ReplicaStatus {
  readonly address: string;
  readonly ready: boolean;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly logFile: string | undefined;
}

export type { ProxyStatus };
export type { HistoryEntry, MoveProgress, MoveResult };

/** One second of traffic, by VirtualService and version. */
export interface TrafficSample {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly services: readonly {
    readonly virtualService: string;
    readonly versions: readonly {
      readonly name: VersionName;
      readonly requestsPerSecond: number;
      readonly errorsPerSecond: number;
    }[];
  }[];
}

/** A move of this run of `up`, for the marks in a graph. Times in milliseconds since the epoch. */
export interface RecentMove {
  readonly virtualService: string;
  readonly verb: MoveRequest["verb"];
  readonly from: VersionName;
  readonly to: VersionName;
  /** When the new weights were sent to the proxies. */
  readonly calledAtMs: number;
  /** When the last proxy had proved them; null while it has not. */
  readonly doneAtMs: number | null;
  /** Null while the move runs. */
  readonly result: MoveResult | null;
}

/** What a page needs to draw the last minutes when it opens. */
export interface SamplesAnswer {
  /** Oldest first. */
  readonly samples: readonly TrafficSample[];
  /** Oldest first. */
  readonly moves: readonly RecentMove[];
}

export type LiveEvent =
  | { readonly event: "sample"; readonly sample: TrafficSample }
  | { readonly event: "move"; readonly virtualService: string; readonly atMs: number; readonly progress: MoveProgress }
  | { readonly event: "status"; readonly status: Status };

/** What the API serves; `app.ts` provides it. */
export interface ApiBackend {
  status(): Status;
  /** Throws KirikaeError for a request that cannot be planned. */
  plan(request: MoveRequest): MovePlan;
  /** Runs a move to its end; progress is reported as it happens. */
  move(request: MoveRequest, onProgress: (progress: MoveProgress) => void): Promise<MoveResult>;
  history(name: string | undefined): readonly HistoryEntry[];
  /** The last minutes of samples, oldest first, for a page that has just opened. */
  recentSamples(): readonly TrafficSample[];
  subscribe(listener: (event: LiveEvent) => void): Disposable;
}
