/** True for `*` and `*.suffix` (and `*suffix`, which Istio accepts in places). */
export function isWildcard(host: string): boolean {
  return host.startsWith("*");
}

/** True when every name that `inner` stands for is one that `outer` stands for; `*.a` does not take `a` itself. */
export function coversHost(outer: string, inner: string): boolean {
  if (!isWildcard(outer)) {
    return outer === inner;
  }
  return inner.length >= outer.length && inner.endsWith(outer.slice(1));
}

/** The more specific of two hosts that overlap, or undefined when no name belongs to both. */
export function intersectHosts(left: string, right: string): string | undefined {
  if (coversHost(left, right)) {
    return right;
  }
  return coversHost(right, left) ? left : undefined;
}

/** The wildcards that take a host and more, from most to least specific: `*.b.c`, `*.c` and `*` for `a.b.c`. */
export function wildcardsAbove(host: string): readonly string[] {
  if (host === "*") {
    return [];
  }
  const wildcards: string[] = [];
  const name = host.startsWith("*.") ? host.slice(2) : host;
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
    wildcards.push(`*${name.slice(dot)}`);
  }
  return [...wildcards, "*"];
}
