import type { RouteTable } from "../routes/route-table.ts";
import { countNamed } from "./named-in-table.ts";

/** The table without destinations that nothing in it names: which those are would depend on how it came about. */
export function pruneDestinations(table: RouteTable): RouteTable {
  const named = countNamed(table);
  const destinations = new Map([...table.destinations].filter(([id]) => named.has(id)));
  return destinations.size === table.destinations.size ? table : { ...table, destinations };
}
