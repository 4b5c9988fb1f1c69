import type { ProxyWatch } from "./proxy-watch.ts";

/** Where a proof stands. */
export interface ProofState {
  /** The proxies that are concerned. */
  readonly watches: readonly ProxyWatch[];
  /** Those that have not shown it. */
  readonly open: readonly ProxyWatch[];
  /** Replicas of istiod that may hand out what was before, in words of their own. */
  readonly ignorant: readonly string[];
}

const namesTold = 3;

/** `2 of 3 proxies confirmed; gateway-7f9.istio-system unreachable`. */
export function describeProof({ watches, open, ignorant }: ProofState): string {
  const count = `${watches.length - open.length} of ${watches.length} ${watches.length === 1 ? "proxy" : "proxies"} confirmed`;
  const told = open.slice(0, namesTold).map(({ proxy, standing }) => `${proxy.id} ${textOf(standing)}`);
  const rest = open.length - told.length;
  return [count, ...told, ...(rest > 0 ? [`${rest} more`] : []), ...ignorant].join("; ");
}

function textOf(standing: ProxyWatch["standing"]): string {
  switch (standing.kind) {
    case "unasked":
      return "has not answered yet";
    case "waiting":
    case "unreachable":
      return standing.text;
    case "shown":
    case "unconcerned":
      return "has confirmed";
  }
}
