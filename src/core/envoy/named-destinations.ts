import type { DestinationId, HttpRouting, Route, RouteTable, VirtualHost } from "../routes/route-table.ts";
import { compareLists } from "./compare-lists.ts";

/**
 * Counts which destinations the routes of a table name, table after table: routes may name some that the table lacks,
 * and only hosts that changed are counted anew.
 */
export class NamedDestinations {
  readonly #counts = new Map<DestinationId, number>();
  #routings: ReadonlyMap<string, HttpRouting> = new Map();
  #missing: ReadonlySet<DestinationId> = new Set();
  #checked: { readonly destinations: RouteTable["destinations"]; readonly connections: string } | undefined;

  /** Destinations that a route or a chain names and the table lacks; the same set while they stay the same. */
  missingFrom(table: RouteTable): ReadonlySet<DestinationId> {
    const hasNews = this.#count(table);
    const connections = connectionDestinations(table);
    const checked = { destinations: table.destinations, connections: connections.join("\n") };
    if (
      !hasNews &&
      this.#checked?.destinations === checked.destinations &&
      this.#checked.connections === checked.connections
    ) {
      return this.#missing;
    }
    this.#checked = checked;
    const missing = new Set([...this.#counts.keys(), ...connections].filter((id) => !table.destinations.has(id)));
    const isSame = missing.size === this.#missing.size && [...missing].every((id) => this.#missing.has(id));
    if (!isSame) this.#missing = missing;
    return this.#missing;
  }

  /** Returns whether a destination is named that was not named before, or the other way round. */
  #count({ httpRoutings }: RouteTable): boolean {
    let hasNews = false;
    const next = new Map(httpRoutings.map((routing) => [routing.id, routing]));
    for (const id of new Set([...this.#routings.keys(), ...next.keys()])) {
      const before = this.#routings.get(id);
      const after = next.get(id);
      if (before === after) continue;
      const { added, removed } = compareLists(before?.virtualHosts ?? [], after?.virtualHosts ?? []);
      for (const host of added) hasNews = this.#add(host, 1) || hasNews;
      for (const host of removed) hasNews = this.#add(host, -1) || hasNews;
    }
    this.#routings = next;
    return hasNews;
  }

  #add(host: VirtualHost, difference: 1 | -1): boolean {
    let hasNews = false;
    for (const id of host.routes.flatMap(namedDestinations)) {
      const before = this.#counts.get(id) ?? 0;
      const after = before + difference;
      if (after === 0) this.#counts.delete(id);
      else this.#counts.set(id, after);
      hasNews ||= before === 0 || after === 0;
    }
    return hasNews;
  }
}

function connectionDestinations({ listeners }: RouteTable): readonly DestinationId[] {
  return listeners
    .flatMap(({ filterChains }) => filterChains)
    .flatMap(({ serves }) => (serves.kind === "tcp" ? serves.route.split.arms : []))
    .map(({ destination }) => destination);
}

function namedDestinations({ action }: Route): readonly DestinationId[] {
  return action.kind === "forward"
    ? [...action.split.arms, ...action.mirrors].map(({ destination }) => destination)
    : [];
}
