import type { Position } from "../diagnostics/position.ts";

/** `networking.istio.io` Gateway, the HTTP part. */
export interface GatewaySpec {
  /** Labels of the gateway workload; empty selects every gateway workload. */
  readonly selector: Readonly<Record<string, string>>;
  readonly servers: readonly GatewayServer[];
  /** Hosts of the servers that are left out because they do not speak plain HTTP. */
  readonly unservedHosts?: readonly string[];
}

export interface GatewayServer {
  /** `server.name` where set, else `port.name`. */
  readonly name: string;
  readonly port: { readonly number: number; readonly name: string; readonly protocol: string };
  readonly bind: string | undefined;
  /** Each `host`, `*.suffix`, `*`, or one of these with a namespace, `.` or `*` and a slash before it. */
  readonly hosts: readonly string[];
  /** True when `tls.httpsRedirect` asks every plain request to be sent to https (301). */
  readonly httpsRedirect: boolean;
  readonly at: Position;
}
