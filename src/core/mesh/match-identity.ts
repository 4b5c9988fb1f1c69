import type { ConnectionMatch, HttpMatch } from "../manifest/virtual-service.ts";

/** A match as text, the same for two that ask for the same: its name, its place and the order of its keys say nothing. */
export function matchIdentity(match: HttpMatch | ConnectionMatch): string {
  const found = known.get(match) ?? renderIdentity(match);
  known.set(match, found);
  return found;
}

/** Each match is held against several others. */
const known = new WeakMap<HttpMatch | ConnectionMatch, string>();

function renderIdentity(match: HttpMatch | ConnectionMatch): string {
  return JSON.stringify({ ...match, name: undefined, statPrefix: undefined, at: undefined }, sortKeys);
}

function sortKeys(_key: string, value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)))
    : value;
}
