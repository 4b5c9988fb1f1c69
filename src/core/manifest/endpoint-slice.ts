import type { Position } from "../diagnostics/position.ts";

/** `discovery.k8s.io/v1` EndpointSlice, or `v1` Endpoints in the same form: addresses behind a Service. */
export interface EndpointSliceSpec {
  /** The Service in the same namespace; undefined for a slice that names none. */
  readonly service: string | undefined;
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly endpoints: readonly SliceEndpoint[];
}

/** A port to dial; `name` ties it to the Service's port of the same name. */
export interface SlicePort {
  readonly name: string | undefined;
  /** Undefined is any port. */
  readonly number: number | undefined;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly appProtocol: string | undefined;
}

export interface SliceEndpoint {
  /** Each is an endpoint of its own; never empty. */
  readonly addresses: readonly string[];
  readonly ports: readonly SlicePort[];
  readonly isReady: boolean;
  /** The Pod behind it, whose labels subsets select by. */
  readonly pod: { readonly name: string; readonly namespace: string } | undefined;
  readonly zone: string | undefined;
  readonly at: Position;
}
