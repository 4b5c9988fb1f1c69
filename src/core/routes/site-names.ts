/**
 * Where a release has several clusters, whatever is one cluster's has the cluster in front of its name, as
 * `blue-cluster:shop/web`. Contexts can be called anything, so what could be taken for a part of a name is escaped.
 */
export function qualifyName(context: string, name: string): string {
  return `${encodeURIComponent(context)}:${name}`;
}

/** `blue-cluster:`; empty where the name is of the only cluster there is. */
export function sitePrefix(name: string): string {
  return /^[^:/|]*:/u.exec(name)?.[0] ?? "";
}

/** The context that a name belongs to; undefined where it is of the only one. */
export function siteOf(name: string): string | undefined {
  const prefix = sitePrefix(name);
  return prefix === "" ? undefined : decodeURIComponent(prefix.slice(0, -1));
}

/** The name as its own cluster has it. */
export function localName(name: string): string {
  return name.slice(sitePrefix(name).length);
}
