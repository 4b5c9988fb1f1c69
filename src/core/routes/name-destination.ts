import type { DestinationId } from "./route-table.ts";
import { localName } from "./site-names.ts";

/** What the name of a destination tells, also of one that does not exist; where it is says nothing of what it is. */
export interface NamedDestination {
  readonly cluster: DestinationId;
  readonly host: string;
  readonly subset: string | null;
  /** 0 for a place that is no service, such as whatever host a request names. */
  readonly port: number;
}

/** Takes a name `outbound|port|subset|host` apart; another name stands for itself. */
export function nameDestination(cluster: DestinationId): NamedDestination {
  const [direction, port, subset, host] = localName(cluster).split("|");
  if (direction !== "outbound" || host === undefined) return { cluster, host: cluster, subset: null, port: 0 };
  const name = host.split("@")[0] ?? host;
  return { cluster, host: name, subset: subset === undefined || subset === "" ? null : subset, port: Number(port) };
}
