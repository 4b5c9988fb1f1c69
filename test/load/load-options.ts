/** What the load process is told, as one JSON argument. Times are milliseconds, rates are requests a second. */
export interface LoadOptions {
  readonly target: LoadTarget;
  readonly requests: readonly RequestShape[];
  /** The rate at which requests fall due, whatever the answers do. */
  readonly requestsPerSecond: number;
  /** Keep-alive connections; each carries one request at a time. */
  readonly connections: number;
  /** 0 to 1: the share of requests that open a connection of their own and close it after the answer. */
  readonly newConnectionShare: number;
  readonly durationMs: number;
  readonly maxRequests: number;
  /** A request without a whole answer after this long has failed. */
  readonly requestTimeoutMs: number;
  /** The response header that says which version answered, in lower case. */
  readonly versionHeader: string;
  readonly recordFile: string;
  readonly clock: ClockReading;
}

export type LoadTarget =
  | { readonly kind: "tcp"; readonly address: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface RequestShape {
  /** Names the shape in summaries. */
  readonly name: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Relative to the sum over the shapes. */
  readonly share: number;
}

/** One instant on two clocks: lets the load process count in its parent's milliseconds, free of either's start error. */
export interface ClockReading {
  readonly epochMs: number;
  /** `process.hrtime.bigint()` as text; the monotonic clock is the same for every process of a machine. */
  readonly monotonicNs: string;
}

const longestMs = 30 * 60_000;
const mostRequests = 10_000_000;
const highestRate = 20_000;
const mostConnections = 1_024;

/** Throws for load that is not bounded or that would leave this machine. */
export function assertBounded(options: LoadOptions): void {
  const { target } = options;
  if (target.kind === "tcp" && !/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(target.address)) {
    throw new Error(`Load goes to 127.0.0.0/8 or a Unix socket only, not to ${target.address}.`);
  }
  assertWithin("durationMs", options.durationMs, longestMs);
  assertWithin("maxRequests", options.maxRequests, mostRequests);
  assertWithin("requestsPerSecond", options.requestsPerSecond, highestRate);
  assertWithin("connections", options.connections, mostConnections);
  if (options.requests.length === 0 || options.requests.length > 200) {
    throw new Error("Load needs 1 to 200 request shapes.");
  }
}

function assertWithin(name: string, value: number, highest: number): void {
  if (value > 0 && value <= highest) return;
  throw new Error(`${name} must be above 0 and at most ${highest}, not ${value}.`);
}
