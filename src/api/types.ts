import type { CheckProgress } from "../core/release/check/check-progress.ts";
import type { ComparedRule } from "../core/release/move/compare-weights.ts";
import type { ReleaseDescription } from "../core/release/describe/describe-release.ts";
import type { ReleaseChoice } from "../core/release/describe/foresee-commands.ts";
import type { MovePlan, MoveRequest, VersionName } from "../core/release/move/move.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { ReleaseReport } from "../core/release/report/release-report.ts";
import type { ReleaseCommand, ReleaseEvent } from "../core/release/state/release-state.ts";
import type { OwnedAddition } from "../core/routes/route-addition.ts";
import type { ProxyStatus } from "../engine/ports.ts";
import type { HistoryEntry, MoveProgress, MoveResult, ReleaseEntry, TimelineEntry } from "../engine/report.ts";

/** What the API answers and streams; the CLI's `--json` prints the same shapes. Types only: the page shares them. */

export interface Status {
  /** Where requests enter, one entry a gateway server. */
  readonly gateways: readonly GatewayAddress[];
  readonly services: readonly ServiceStatus[];
  readonly proxies: readonly ProxyStatus[];
  readonly workloads: readonly WorkloadStatus[];
  /** What has reached each replica that has a sidecar, port by port. */
  readonly inbound: readonly InboundStatus[];
  /** Workloads that send requests inside the mesh. */
  readonly callers: readonly CallerStatus[];
  /** Errors of the last saved manifests, when they were refused and the earlier ones still run. */
  readonly refusedManifests: readonly string[];
  /** What releases have laid over the routes of the manifests. */
  readonly additions: readonly OwnedAddition[];
  /** Absent where the mesh is on this machine. */
  readonly site?: SiteStatus;
  /** Those that controllers of the clusters carry out, newest first; absent where the mesh is on this machine. */
  readonly clusterReleases?: readonly ClusterRelease[];
}

/** The cluster that everything else is about. */
interface SiteStatus {
  /** Of the kubeconfig. */
  readonly context: string;
  /** What keeps it from being seen as it is, such as an API server that does not answer; in sentences. */
  readonly troubles: readonly string[];
}

export interface GatewayAddress {
  /** `namespace/name`. */
  readonly gateway: string;
  readonly server: string;
  readonly hosts: readonly string[];
  /** The port as manifests name it. */
  readonly port: number;
  /** `tls` is passed through or ends at the gateway; `tcp` carries any bytes. */
  readonly protocol: "http" | "https" | "tls" | "tcp";
  /** Where it listens on this machine, `127.0.0.1:8080`. */
  readonly address: string;
  /** A host that some rule here takes, for a first try; absent where any host is taken, or none. */
  readonly routedHost?: string;
  /** True where a client without a certificate is refused (`tls.mode: MUTUAL`); absent elsewhere. */
  readonly asksForCertificate?: true;
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

/** One port of one replica, as its sidecar sees it; counts since the proxy started. */
export interface InboundStatus {
  /** `namespace/name`. */
  readonly workload: string;
  /** Counted from 0. */
  readonly replica: number;
  /** Of the workload, as manifests name it. */
  readonly port: number;
  /** Whether requests are counted, or connections that carry bytes. */
  readonly protocol: "http" | "tcp";
  readonly requests: number;
  /** Answers of 500 and more, those included that the sidecar gave itself. */
  readonly errors: number;
  readonly byClass: Readonly<Record<"1xx" | "2xx" | "3xx" | "4xx" | "5xx", number>>;
  /** Requests and connections beyond the limits before the workload; the requests got 503 with the flag UO. */
  readonly refused: number;
  /** 0 for a port of requests. */
  readonly connections: number;
  /** How long answers took; null before there were any. */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number } | null;
}

/** A workload as a sender of requests, and whether the rules of the mesh apply to what it sends. */
export interface CallerStatus {
  /** `namespace/name`. */
  readonly workload: string;
  /** Where it sends HTTP requests, as to an HTTP proxy: `127.0.0.1:20001`. Null without a sidecar. */
  readonly proxy: string | null;
  /** Why it has no sidecar, so that no rule applies to it; null with one. */
  readonly withoutSidecar: string | null;
}

/** One caller, and how it comes to what it asks for. */
export interface CallerDetail extends CallerStatus {
  /** What would give it a sidecar; null where it has one. */
  readonly hint: string | null;
  /** Ports of single services that need no HTTP proxy: TCP, TLS, and the Services of its own namespace. */
  readonly services: readonly CallerService[];
  /** The service that was asked for, where a caller without a sidecar comes to it; null where there is none. */
  readonly direct: DirectService | null;
}

interface CallerService {
  readonly host: string;
  readonly port: number;
  /** `127.0.0.1:20002`. */
  readonly address: string;
}

/** A service as the system's own load balancing shows it: every ready endpoint, in turn. */
export interface DirectService {
  readonly host: string;
  readonly port: number;
  /** `host:port` of those that are ready. */
  readonly endpoints: readonly string[];
}

interface ReplicaStatus {
  readonly address: string;
  readonly ready: boolean;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly logFile: string | undefined;
}

export type { ProxyStatus };
export type { HistoryEntry, MoveProgress, MoveResult, ReleaseEntry, TimelineEntry };

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
  | { readonly event: "release"; readonly release: ReleaseSummary }
  | { readonly event: "status"; readonly status: Status };

/** A Release as text, and who asks. */
export interface ReleaseSource {
  /** Shown in errors. */
  readonly path: string;
  readonly text: string;
  /** `namespace/name`, where the text holds several. */
  readonly release?: string | undefined;
  readonly actor: string;
  readonly reason?: string | undefined;
}

/** A release as lists and live events tell of it: without its plan and all that happened to it. */
export interface ReleaseSummary extends ReleaseDescription {
  readonly id: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly actor: string;
  readonly reason: string | null;
  /** Null before the first. */
  readonly lastEvent: ReleaseEvent | null;
  /** How the check that is under way is going; null while there is none. */
  readonly check: CheckProgress | null;
  /** Null where nobody asked for it, and for a release that is over. */
  readonly live: ReleaseLive | null;
}

/** A release that was started, and where it is. */
export interface ReleaseStatus extends ReleaseSummary {
  readonly plan: ReleasePlan;
  /** Oldest first. */
  readonly events: readonly ReleaseEvent[];
}

/** A Release of a cluster, which its controller carries out, as its object says it. Times are ISO 8601. */
export interface ClusterRelease {
  /** Tells it from a release that kirikae carries out elsewhere, which has no such field. */
  readonly runBy: "controller";
  readonly context: string;
  /** `namespace/name`. */
  readonly release: string;
  /** Null until it has begun. */
  readonly id: string | null;
  readonly from: string | null;
  readonly to: string;
  /** `namespace/name` of every VirtualService that it moves. */
  readonly services: readonly string[];
  /** As of any release; `pending` where no controller has looked at it, and `refused`. */
  readonly phase: string;
  /** `2/6`. */
  readonly step: string | null;
  readonly stepName: string | null;
  /** What has been proved to be live, `blue 90 %, green 10 %`. */
  readonly weight: string | null;
  readonly message: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly waitsUntil: string | null;
  /** Each of its steps; empty in lists, and where its journal cannot be read. */
  readonly steps: ReleaseDescription["steps"];
}

/** What the proxies do for a release now. */
export interface ReleaseLive {
  /** When the proxies were asked, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Of every rule that the release moves. */
  readonly rules: readonly ComparedRule[];
  readonly versions: readonly LiveVersion[];
}

/** One version of one VirtualService, in the last seconds. */
export interface LiveVersion {
  /** `namespace/name`. */
  readonly virtualService: string;
  readonly name: VersionName;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** How long its answers took; null where nothing was asked of it. */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number } | null;
}

/** Releases, as the API serves them. */
export interface ReleaseBackend {
  /** What a Release would do from what is live. Changes nothing. */
  plan(source: ReleaseSource): ReleasePlan;
  /** Throws KIR2034 while another release has one of its routes. */
  start(source: ReleaseSource): ReleaseStatus;
  /** Oldest first. */
  list(): readonly ReleaseStatus[];
  /**
   * The newest of that name, which is `namespace/name` or the name alone. Throws KIR2035 where there is none, KIR2036
   * where several could be meant.
   */
  get(name: string, namespace?: string): ReleaseStatus;
  /** What is live of these releases, by id; those that are over are left out. */
  look(ids: readonly string[]): Promise<ReadonlyMap<string, ReleaseLive>>;
  /** As `get`: all that is known of it, whether it has ended or not. */
  report(name: string, namespace?: string): ReleaseReport;
  /** What the release can be told by this person now, and what would follow. */
  choices(name: string, actor: string): readonly ReleaseChoice[];
  /** Throws KIR2034 for what the release cannot do now. */
  order(name: string, order: ReleaseOrder): ReleaseStatus;
}

export interface ReleaseOrder {
  readonly command: ReleaseCommand;
  readonly actor: string;
  readonly reason?: string | undefined;
}

/** What a caller asks for. */
export interface CallerTarget {
  /** As the caller writes it. */
  readonly host: string;
  readonly port: number;
}

/** What the API serves; `app.ts` provides it. */
export interface ApiBackend {
  status(): Status;
  /** Throws KirikaeError for a request that cannot be planned. */
  plan(request: MoveRequest): MovePlan;
  /** Runs a move to its end; progress is reported as it happens. */
  move(request: MoveRequest, onProgress: (progress: MoveProgress) => void): Promise<MoveResult>;
  history(name: string | undefined): readonly HistoryEntry[];
  /** The same with what happened to releases. */
  timeline(name: string | undefined): readonly TimelineEntry[];
  readonly releases: ReleaseBackend;
  /** Throws KirikaeError KIR5061 for a workload that is not known. */
  caller(workload: string, target: CallerTarget | undefined): CallerDetail;
  /** The last minutes of samples, oldest first, for a page that has just opened. */
  recentSamples(): readonly TrafficSample[];
  subscribe(listener: (event: LiveEvent) => void): Disposable;
}
