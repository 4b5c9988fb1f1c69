import type { ObjectName } from "../manifest/manifest.ts";
import type { DestinationId } from "./route-table.ts";

/** One replica of a workload, as names of what is in its way have it; no name of Kubernetes has a `#` in it. */
function nameReplica(workload: ObjectName, replica: number): string {
  return `${workload}#${replica}`;
}

/** The id of the listener before one port of one replica. */
export function inboundListenerId(workload: ObjectName, port: number, replica: number): string {
  return `inbound|${port}|${nameReplica(workload, replica)}`;
}

/**
 * The destination behind that listener. Istio calls it `inbound|<port>||` in every pod's own proxy (`model.
 * BuildInboundSubsetKey`); here one proxy plays those of all pods, so that the replica belongs to the name.
 */
export function inboundDestinationId(workload: ObjectName, port: number, replica: number): DestinationId {
  return `inbound|${port}||${nameReplica(workload, replica)}`;
}

/** The workload, the port and the replica of either name; undefined for a name that is neither. */
export function parseInboundName(
  name: string,
): { readonly workload: ObjectName; readonly port: number; readonly replica: number } | undefined {
  const { port, workload, replica } =
    /^inbound\|(?<port>\d+)\|\|?(?<workload>[^|#]+)#(?<replica>\d+)$/.exec(name)?.groups ?? {};
  if (workload === undefined) return undefined;
  return { workload, port: Number(port), replica: Number(replica) };
}
