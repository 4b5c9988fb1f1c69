import type { ProxyWatch } from "./proxy-watch.ts";

/** Where a proof stands. */
export interface ProofState {
  /** The proxies that are concerned. */
  readonly watches: readonly ProxyWatch[];
  /** Those that have not shown it. */
  readonly open: readonly ProxyWatch[];
  /** Replicas of istiod that may hand out what was before, in words of their own. */
  readonly ignorant: readonly string[];
  /** Of those that have not shown it: why they refuse what they are sent, by their ids. */
  readonly refusals: ReadonlyMap<string, string>;
  readonly nowMs: number;
}

const namesTold = 3;
/** So long a proxy that has shown something and does not answer is told as what it has shown: it may only be busy. */
const trustedMs = 3_000;

/** `2 of 3 proxies confirmed; gateway-7f9.istio-system unreachable`. */
export function describeProof({ watches, open, ignorant, refusals, nowMs }: ProofState): string {
  const count = `${watches.length - open.length} of ${watches.length} ${watches.length === 1 ? "proxy" : "proxies"} confirmed`;
  const told = open.slice(0, namesTold).map(({ proxy, standing }) => {
    const refusal = refusals.get(proxy.id);
    return `${proxy.id} ${refusal === undefined ? textOf(standing, nowMs) : `refuses its routes: ${refusal}`}`;
  });
  const rest = open.length - told.length;
  return [count, ...told, ...(rest > 0 ? [`${rest} more`] : []), ...ignorant].join("; ");
}

function textOf(standing: ProxyWatch["standing"], nowMs: number): string {
  switch (standing.kind) {
    case "unasked":
      return "has not answered yet";
    case "waiting":
      return standing.text;
    case "unreachable": {
      const { shown, sinceMs, text } = standing;
      return shown !== undefined && nowMs - sinceMs < trustedMs ? shown : text;
    }
    case "shown":
    case "unconcerned":
      return "has confirmed";
  }
}
