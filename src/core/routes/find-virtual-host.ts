import { lowerAscii } from "./match-request.ts";
import { splitAuthority } from "./split-authority.ts";
import type { HttpRouting, VirtualHost } from "./route-table.ts";

interface DomainIndex {
  readonly exact: ReadonlyMap<string, VirtualHost>;
  /** Longest first. */
  readonly suffixes: readonly { readonly suffix: string; readonly host: VirtualHost }[];
  readonly fallback: VirtualHost | undefined;
}

/** Routings are immutable, so an index lives as long as its routing. */
const indexes = new WeakMap<HttpRouting, DomainIndex>();

/** The name that virtual hosts are chosen by: lower case, without a port. */
export function hostOf(authority: string): string {
  return lowerAscii(splitAuthority(authority).host);
}

/** The same for one routing, which may tell hosts apart by the port that a request names. */
export function hostKeyOf(routing: Pick<HttpRouting, "matchesPorts">, authority: string): string {
  return routing.matchesPorts === true ? lowerAscii(authority) : hostOf(authority);
}

/**
 * The virtual hosts that stand for a host, the one that takes the request first: the exact name, then the longest
 * `*.suffix` (which needs something in front of it), then `*`. The others never see the request, even when no route of
 * the first matches. Source: Envoy `config_impl.cc`, RouteMatcher::findVirtualHost.
 */
export function findVirtualHosts(routing: HttpRouting, host: string): readonly VirtualHost[] {
  const { exact, suffixes, fallback } = indexOf(routing);
  const found: VirtualHost[] = [];
  const named = exact.get(host);
  if (named !== undefined) {
    found.push(named);
  }
  for (const { suffix, host: candidate } of suffixes) {
    if (host.length > suffix.length && host.endsWith(suffix)) {
      found.push(candidate);
    }
  }
  if (fallback !== undefined) {
    found.push(fallback);
  }
  return found;
}

function indexOf(routing: HttpRouting): DomainIndex {
  const known = indexes.get(routing);
  if (known !== undefined) {
    return known;
  }
  const exact = new Map<string, VirtualHost>();
  const suffixes: { suffix: string; host: VirtualHost }[] = [];
  let fallback: VirtualHost | undefined;
  for (const host of routing.virtualHosts) {
    for (const domain of [host.domain, ...(host.aliases ?? [])]) {
      if (domain === "*") {
        fallback = host;
      } else if (domain.startsWith("*")) {
        suffixes.push({ suffix: domain.slice(1), host });
      } else {
        exact.set(domain, host);
      }
    }
  }
  suffixes.sort((left, right) => right.suffix.length - left.suffix.length);
  const index = { exact, suffixes, fallback };
  indexes.set(routing, index);
  return index;
}
