import { nameDestination } from "../../routes/name-destination.ts";
import type { RouteTable, TcpRoute } from "../../routes/route-table.ts";
import type { MoveRequest } from "./move.ts";
import { type Refusal, refuseInput } from "./refusals.ts";
import { hostSpellings } from "./resolve-service.ts";

/**
 * Says plainly that connections of bytes are not moved, where that is what a request means; undefined where it means none.
 * Their weights are part of a listener's filter chain: Envoy takes no runtime value for them, and a connection that is
 * open keeps its destination, so that a move could neither be proved nor counted as one of requests is.
 */
export function refuseBytes(table: RouteTable, request: Pick<MoveRequest, "name" | "namespace">): Refusal | undefined {
  const meant = table.listeners
    .flatMap(({ filterChains }) => filterChains)
    .flatMap(({ serves }) => (serves.kind === "tcp" && isMeant(serves.route, request) ? [serves.route] : []));
  const found = meant.find(({ origin }) => origin.virtualService.endsWith(`/${request.name}`)) ?? meant[0];
  if (found === undefined) return undefined;
  const { virtualService, at } = found.origin;
  return refuseInput(
    "KIR2008",
    `${virtualService} carries bytes (tcp or tls rules), and a move is for HTTP rules alone.`,
    {
      hint: `Edit the weights at ${at.file}:${at.line} and save: new connections follow them at once, and those that are open stay where they are until they end, ten minutes at most.`,
      details: { virtualService },
    },
  );
}

function isMeant({ origin, split }: TcpRoute, { name, namespace }: Pick<MoveRequest, "name" | "namespace">): boolean {
  if (origin.virtualService === "") return false;
  const [ownNamespace = "", ownName = ""] = origin.virtualService.split("/");
  if (name === origin.virtualService) return true;
  if (namespace !== undefined && namespace !== ownNamespace) return false;
  const hosts = split.arms.flatMap(({ destination }) => hostSpellings(nameDestination(destination).host));
  return name === ownName || hosts.includes(name.toLowerCase());
}
