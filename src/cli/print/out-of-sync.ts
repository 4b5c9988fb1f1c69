import type { SiteProxies } from "../../app/site/read-site-proxies.ts";
import type { ProxyStatus } from "../../api/types.ts";
import { neutraliseLine } from "../neutralise.ts";
import type { Terminal } from "../terminal.ts";

/** Says on stderr which proxies do not have what istiod has sent: to them the findings are not yet about what is live. */
export function noteOutOfSync(read: SiteProxies, terminal: Pick<Terminal, "note" | "noteInk">): void {
  const { noteInk } = terminal;
  for (const proxy of read.proxies) {
    const late = describeLate(proxy);
    if (late !== "") terminal.note(neutraliseLine(`${noteInk.yellow("not in sync")}  ${proxy.node}: ${late}`));
  }
  for (const trouble of read.troubles)
    terminal.note(neutraliseLine(`${noteInk.yellow("proxies not known")}  ${trouble}`));
}

/** Empty where everything was acknowledged. */
export function describeLate({ types }: Pick<ProxyStatus, "types">): string {
  return types
    .flatMap(({ type, sentVersion, ackedVersion, nack }) => {
      if (nack !== undefined) return [`refuses ${type}: ${nack}`];
      if (sentVersion === undefined || ackedVersion !== undefined) return [];
      return [`has not acknowledged ${type}`];
    })
    .join("; ");
}
