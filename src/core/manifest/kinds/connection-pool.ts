import { refine, transform } from "../decode/collections.ts";
import { type Decoder, invalid, renderPath, report, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, durationMs, durationOrZeroMs, integer, oneOf } from "../decode/scalars.ts";
import type { ConnectionPool, Http2KeepAlive, TcpKeepalive } from "../destination-rule.ts";

/** 0 is the same as absent: no limit. */
const limit: Decoder<number | undefined> = transform(
  refine(integer, (value) => (value < 0 || value > 2_147_483_647 ? `must be 0 or more, but is ${value}` : undefined)),
  (value) => (value === 0 ? undefined : value),
);

const probes = refine(integer, (value) =>
  value < 0 || value > 4_294_967_295 ? `must be 0 or more, but is ${value}` : undefined,
);

const decodeTcpKeepalive: Decoder<TcpKeepalive> = transform(
  object({
    fields: { probes: optional(probes), time: optional(durationMs), interval: optional(durationMs) },
  }),
  ({ probes: count, time, interval }) => ({
    probes: count === 0 ? undefined : count,
    timeMs: time,
    intervalMs: interval,
  }),
);

const decodeHttp2KeepAlive: Decoder<Http2KeepAlive> = transform(
  object({ fields: { interval: required(durationMs), timeout: required(durationMs) } }),
  ({ interval, timeout }) => ({ intervalMs: interval, timeoutMs: timeout }),
);

const decodeTcp = object({
  fields: {
    maxConnections: optional(limit),
    connectTimeout: optional(durationMs),
    idleTimeout: optional(durationOrZeroMs),
    maxConnectionDuration: optional(durationMs),
    tcpKeepalive: optional(decodeTcpKeepalive),
  },
});

const decodeHttp = object({
  fields: {
    http1MaxPendingRequests: optional(limit),
    http2MaxRequests: optional(limit),
    maxRequestsPerConnection: optional(limit),
    maxRetries: optional(limit),
    idleTimeout: optional(durationMs),
    maxConcurrentStreams: optional(limit),
    h2UpgradePolicy: optional(oneOf(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"])),
    useClientProtocol: withDefault(boolean, false),
    http2KeepAlive: optional(decodeHttp2KeepAlive),
  },
});

const noTcp = {
  maxConnections: undefined,
  connectTimeout: undefined,
  idleTimeout: undefined,
  maxConnectionDuration: undefined,
  tcpKeepalive: undefined,
};

const noHttp = {
  http1MaxPendingRequests: undefined,
  http2MaxRequests: undefined,
  maxRequestsPerConnection: undefined,
  maxRetries: undefined,
  idleTimeout: undefined,
  maxConcurrentStreams: undefined,
  h2UpgradePolicy: undefined,
  useClientProtocol: false,
  http2KeepAlive: undefined,
};

/** `connectionPool`. Source of the rules: Istio `pkg/config/validation/validation.go`, validateConnectionPool. */
export const decodeConnectionPool: Decoder<ConnectionPool> = transform(
  object({ fields: { tcp: optional(decodeTcp), http: optional(decodeHttp) } }),
  ({ tcp, http }, place, context) => {
    if (tcp === undefined && http === undefined) {
      return reportValue(place, context, "needs tcp or http");
    }
    if (http?.h2UpgradePolicy === "UPGRADE" && http.useClientProtocol) {
      const message = `"${renderPath(place)}.http" must not have both h2UpgradePolicy UPGRADE and useClientProtocol.`;
      report(place, context, { code: "KIR1014", message });
      return invalid;
    }
    const { connectTimeout, idleTimeout: tcpIdleTimeout, maxConnectionDuration, ...tcpLimits } = tcp ?? noTcp;
    const { idleTimeout: httpIdleTimeout, ...httpRest } = http ?? noHttp;
    return {
      ...tcpLimits,
      ...httpRest,
      connectTimeoutMs: connectTimeout,
      tcpIdleTimeoutMs: tcpIdleTimeout,
      maxConnectionDurationMs: maxConnectionDuration,
      httpIdleTimeoutMs: httpIdleTimeout,
    };
  },
);
