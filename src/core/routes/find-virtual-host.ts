import { lowerAscii } from "./match-request.ts";
import { splitAuthority } from "./split-authority.ts";
import type { HttpRouting, VirtualHost } from "./route-table.ts";

interface DomainIndex {
  readonly exact: ReadonlyMap<string, VirtualHost>;
  /** Of `*.suffix`, by what stands behind the star; the longest of them has so many letters. */
  readonly dotted: ReadonlyMap<string, VirtualHost>;
  readonly longestDotted: number;
  /** Of `*-suffix` and the like, which are few. */
  readonly others: readonly Suffix[];
  readonly fallback: VirtualHost | undefined;
}

interface Suffix {
  readonly suffix: string;
  readonly host: VirtualHost;
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
  const index = indexOf(routing);
  const named = index.exact.get(host);
  return [
    ...(named === undefined ? [] : [named]),
    ...findSuffixes(index, host).map((found) => found.host),
    ...(index.fallback === undefined ? [] : [index.fallback]),
  ];
}

/** Longest first. */
function findSuffixes({ dotted, longestDotted, others }: DomainIndex, name: string): readonly Suffix[] {
  const found: Suffix[] = [];
  let dot = name.indexOf(".", Math.max(1, name.length - longestDotted));
  while (dot !== -1) {
    const suffix = name.slice(dot);
    const host = dotted.get(suffix);
    if (host !== undefined) found.push({ suffix, host });
    dot = name.indexOf(".", dot + 1);
  }
  const rest = others.filter(({ suffix }) => name.length > suffix.length && name.endsWith(suffix));
  return rest.length === 0
    ? found
    : [...found, ...rest].toSorted((left, right) => right.suffix.length - left.suffix.length);
}

function indexOf(routing: HttpRouting): DomainIndex {
  const known = indexes.get(routing);
  if (known !== undefined) {
    return known;
  }
  const exact = new Map<string, VirtualHost>();
  const dotted = new Map<string, VirtualHost>();
  const others: Suffix[] = [];
  let fallback: VirtualHost | undefined;
  for (const host of routing.virtualHosts) {
    for (const domain of [host.domain, ...(host.aliases ?? [])]) {
      if (domain === "*") {
        fallback = host;
      } else if (domain.startsWith("*.")) {
        dotted.set(domain.slice(1), host);
      } else if (domain.startsWith("*")) {
        others.push({ suffix: domain.slice(1), host });
      } else {
        exact.set(domain, host);
      }
    }
  }
  let longestDotted = 0;
  for (const suffix of dotted.keys()) longestDotted = Math.max(longestDotted, suffix.length);
  const index = { exact, dotted, longestDotted, others, fallback };
  indexes.set(routing, index);
  return index;
}
