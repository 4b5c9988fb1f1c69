import type { LinePlace } from "../diagnostics/position.ts";
import type {
  Arm,
  Destination,
  FilterChain,
  HeaderMutation,
  Listener,
  ProxyId,
  Route,
  RouteAction,
  VirtualHost,
} from "./route-table.ts";

/** A request as it reaches a gateway listener, or as a workload with a sidecar sends it. */
export interface SimulatedRequest {
  /** The workload with a sidecar that sends it; undefined for a request from outside, which reaches a gateway. */
  readonly from?: ProxyId | undefined;
  /** The gateway server's port, as manifests name it; of a request from inside the port that it is sent to. */
  readonly port: number;
  /** `https` reaches a chain that ends TLS, or one of plain HTTP where a balancer in front has ended it. */
  readonly scheme: "http" | "https";
  /** The name that a TLS client asks for; the host of the request where it is absent. */
  readonly sni?: string | undefined;
  /** The gateway that is meant, where several have the port. */
  readonly proxy?: ProxyId | undefined;
  /** The Host header (or `:authority`), with its port if it had one. */
  readonly authority: string;
  readonly method: string;
  /** As sent: path and query, such as `/a?b=c`, or a whole URL, whose host then counts. */
  readonly target: string;
  /** Names in any case; of a name given several times each value is tried on its own, as Envoy 1.40 does. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What a gateway does with a request, and the way it came to that. */
export interface Simulation {
  readonly steps: readonly SimulationStep[];
  readonly result: SimulationResult;
  /** Where the request came to; undefined where nothing listens. */
  readonly listener: Listener | undefined;
  /** The chain that reads the request; undefined where none does. */
  readonly chain: FilterChain | undefined;
}

export type SimulationResult =
  | {
      readonly kind: "route";
      readonly route: Route;
      readonly virtualHost: VirtualHost;
      readonly action: Extract<RouteAction, { kind: "forward" }>;
      /** Arms with a share above 0, or all if none has. */
      readonly arms: readonly SimulatedArm[];
      /** Path and query as the destination sees them. */
      readonly target: string;
      /** 503 when no arm can answer, with the flag that says why; undefined when a destination answers. */
      readonly failure: { readonly status: 503; readonly flag: "NC" | "UH" } | undefined;
    }
  | {
      readonly kind: "redirect";
      readonly route: Route | undefined;
      readonly status: number;
      readonly location: string;
      readonly responseChanges: readonly HeaderMutation[];
    }
  | {
      readonly kind: "direct";
      readonly route: Route;
      /** What answers in the place of the rule's action: a fault that always happens, or the policy for preflights. */
      readonly by?: "fault" | "cors" | undefined;
      readonly status: number;
      readonly body: Uint8Array;
      readonly responseChanges: readonly HeaderMutation[];
    }
  /**
   * Refused before routing: a target that no request may have (400), https asked of a plain port (403), or the target
   * `*`, which is no path (404).
   */
  | { readonly kind: "rejected"; readonly status: 400 | 403 | 404; readonly reason: string }
  /** 404, flag NR; or nothing listens on the port at all. */
  | { readonly kind: "miss"; readonly cause: MissCause };

/** `no-filter-chain` is no answer at all: the connection is reset before a request can be read. */
type MissCause = "no-listener" | "no-filter-chain" | "no-virtual-host" | "no-route";

export interface SimulatedArm {
  readonly arm: Arm;
  /** Undefined when no such destination exists: 503 NC. */
  readonly destination: Destination | undefined;
  readonly sharePercent: number;
  /** The Host header as the destination sees it. */
  readonly authority: string;
  /** The request's headers after every change; without those that a proxy sets by itself. */
  readonly requestHeaders: SimulatedRequest["headers"];
  /** What is done to the answer's headers, in this order. */
  readonly responseChanges: readonly HeaderMutation[];
}

/** One thing that was tried, in order: a listener, a virtual host, a route. */
export interface SimulationStep {
  readonly tried: "listener" | "virtualHost" | "route";
  readonly name: string;
  readonly taken: boolean;
  /** Plain words: why it was taken, or the first condition that failed. */
  readonly reason: string;
  readonly at: LinePlace | undefined;
}
