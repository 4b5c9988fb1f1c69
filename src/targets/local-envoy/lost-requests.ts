import type { MovePlan } from "../../core/release/move/move.ts";
import { findVirtualHosts, hostOf } from "../../core/routes/find-virtual-host.ts";
import { findUnmet, prepareRequest } from "../../core/routes/match-request.ts";
import { normalizeTarget } from "../../core/routes/request-path.ts";
import type { Route, RouteTable } from "../../core/routes/route-table.ts";
import type { AccessLogEntry } from "../../xds/access-log-entry.ts";

/** Whether a request that found no route is one that a rule of the move was there for. */
export type LostRequestTest = (entry: AccessLogEntry) => boolean;

/**
 * Tests against the routes as the move finds them: the virtual host that its name leads to holds a moved rule that takes
 * its path. Other conditions of the rule count as met, because a record has no headers. A path that no moved rule takes
 * gets its 404 with or without the move.
 */
export function buildLostRequestTest(table: RouteTable, { changes }: MovePlan): LostRequestTest {
  const moved: ReadonlySet<string> = new Set(changes.map(({ split }) => split));
  const isMoved = ({ action }: Route) => action.kind === "forward" && moved.has(action.split.id);
  return ({ authority, path: target }) => {
    const path = normalizeTarget(target) ?? { path: target, query: "" };
    const sent = {
      port: 0,
      scheme: "http",
      forwardedProto: "http",
      authority,
      method: "",
      target,
      headers: [],
    } as const;
    const request = prepareRequest(sent, path);
    return table.httpRoutings.some((routing) => {
      const [host] = findVirtualHosts(routing, hostOf(authority));
      return host?.routes.some((route) => isMoved(route) && findUnmet(route.match, request)?.kind !== "path") ?? false;
    });
  };
}
