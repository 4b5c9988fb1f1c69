import type { InboundStatus } from "../../api/types.ts";
import type { Listener, RouteTable } from "../../core/routes/route-table.ts";
import type { InboundReading } from "../../targets/local-envoy/inbound-stats.ts";

export function hasInbound({ listeners }: Pick<RouteTable, "listeners">): boolean {
  return listeners.some(({ role }) => role.kind === "inbound");
}

/** What has reached each replica that has a sidecar, port by port, in the order of the table; nothing yet is 0. */
export function listInbound(
  { listeners }: Pick<RouteTable, "listeners">,
  reading: InboundReading,
): readonly InboundStatus[] {
  return listeners.flatMap((listener) => {
    const { id, proxy, role, port, filterChains } = listener;
    if (role.kind !== "inbound") return [];
    const isHttp = filterChains.some(({ serves }) => serves.kind === "inboundHttp");
    return [
      {
        workload: proxy,
        replica: role.replica,
        port,
        protocol: isHttp ? "http" : "tcp",
        ...countsOf(listener, reading),
        latency: reading.latencies.get(id) ?? null,
      },
    ];
  });
}

type Counts = Pick<InboundStatus, "requests" | "errors" | "byClass" | "refused" | "connections">;

function countsOf({ id }: Listener, { counters }: InboundReading): Counts {
  const counted = counters.get(id);
  const answered = (digit: number): number => counted?.answers.get(digit) ?? 0;
  const byClass = {
    "1xx": answered(1),
    "2xx": answered(2),
    "3xx": answered(3),
    "4xx": answered(4),
    "5xx": answered(5),
  };
  return {
    requests: Object.values(byClass).reduce((total, count) => total + count, 0),
    errors: byClass["5xx"],
    byClass,
    refused: counted?.refused ?? 0,
    connections: counted?.connections ?? 0,
  };
}
