import { hashText } from "./hash-text.ts";
import type { Route, Split, SplitId, VirtualHost } from "./route-table.ts";

/**
 * One name for each set of arms in a whole table: a rule can lead elsewhere on another port or for callers of another
 * namespace, and the weights of a split are named by its destinations. The first set keeps the rule's own name; all
 * others have a hash of their arms behind it, which does not depend on how many there are.
 */
export class SplitNames {
  readonly #arms = new Map<SplitId, string>();

  /** The hosts with the names of their splits; what keeps its name keeps its identity. */
  apply(hosts: readonly VirtualHost[]): readonly VirtualHost[] {
    return hosts.map((host) => {
      const routes = host.routes.map((route) => this.#rename(route));
      return routes.every((route, index) => route === host.routes[index]) ? host : { ...host, routes };
    });
  }

  #rename(route: Route): Route {
    if (route.action.kind !== "forward") return route;
    const { split } = route.action;
    const id = this.#nameOf(split);
    return id === split.id ? route : { ...route, action: { ...route.action, split: { ...split, id } } };
  }

  #nameOf({ id, arms }: Split): SplitId {
    const key = arms
      .map(({ destination }) => destination)
      .toSorted()
      .join("\n");
    const known = this.#arms.get(id);
    if (known === undefined) this.#arms.set(id, key);
    return known === undefined || known === key ? id : `${id}~${hashText(key)}`;
  }
}
