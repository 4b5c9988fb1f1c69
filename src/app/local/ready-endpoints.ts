import type { EndpointCounts } from "../../core/release/move/limit-return.ts";
import type { DestinationId, RouteTable } from "../../core/routes/route-table.ts";

/** The replicas of a workload of this machine. */
export type Replicas = (localWorkload: string) => readonly { readonly ready: boolean; readonly replica?: number }[];

/**
 * How many replicas behind each of these destinations are ready. Left out are those that lead to addresses alone, of
 * which nobody here knows whether they are ready.
 */
export function countReadyEndpoints(
  { destinations }: Pick<RouteTable, "destinations">,
  ids: Iterable<DestinationId>,
  replicas: Replicas,
): EndpointCounts {
  const counts: Record<DestinationId, number> = {};
  for (const id of new Set(ids)) {
    const endpoints = destinations.get(id)?.endpoints ?? [];
    if (!endpoints.some(({ kind }) => kind === "localWorkload")) continue;
    counts[id] = endpoints
      .flatMap((endpoint) =>
        endpoint.kind === "localWorkload"
          ? replicas(endpoint.name).filter(
              ({ replica }, index) => endpoint.replica === undefined || endpoint.replica === (replica ?? index),
            )
          : [{ ready: true }],
      )
      .filter(({ ready }) => ready).length;
  }
  return counts;
}
