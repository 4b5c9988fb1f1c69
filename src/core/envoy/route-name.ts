import type { Route } from "../routes/route-table.ts";

/** The name in Envoy's logs: the split where there is one, which is how the ledger tells whose request it was. */
export function routeName(route: Route): string {
  return route.action.kind === "forward"
    ? route.action.split.id
    : `${route.origin.virtualService}/${route.name === "" ? route.origin.rule : route.name}`;
}
