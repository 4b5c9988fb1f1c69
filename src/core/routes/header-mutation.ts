import type { HeaderChanges } from "../manifest/virtual-service.ts";
import type { HeaderMutation } from "./route-table.ts";

export const noMutation: HeaderMutation = { set: [], add: [], remove: [] };

/**
 * Header changes in the order of their names. Pseudo headers and `host` are no headers to proxies and stay out; what
 * they ask for is read by `authorityOf`. Source: Istio `route.go`, translateAppendHeaders and dropInternal.
 */
export function buildHeaderMutation(changes: HeaderChanges): HeaderMutation {
  const set = entriesOf(changes.set);
  const add = entriesOf(changes.add);
  const remove = changes.remove.filter((name) => !isInternal(name));
  return set.length + add.length + remove.length === 0 ? noMutation : { set, add, remove };
}

/** The Host header that changes ask for; `set` counts before `add`. */
export function authorityOf(changes: HeaderChanges): string | undefined {
  for (const record of [changes.set, changes.add]) {
    for (const [name, value] of Object.entries(record)) {
      if (value !== "" && (name.toLowerCase() === "host" || name.toLowerCase() === ":authority")) {
        return value;
      }
    }
  }
  return undefined;
}

/**
 * The changes of a rule and then those of its only destination, as one list. A proxy runs it as: remove, set, add; so
 * the later `set` of a name counts, and an `add` stays whoever else sets the name.
 * Source: Istio `route.go`, processDestination; Envoy `header_parser.cc`, evaluateHeaders.
 */
export function appendMutation(first: HeaderMutation, second: HeaderMutation): HeaderMutation {
  if (second === noMutation) {
    return first;
  }
  if (first === noMutation) {
    return second;
  }
  return {
    set: [...first.set, ...second.set],
    add: [...first.add, ...second.add],
    remove: [...first.remove, ...second.remove],
  };
}

function entriesOf(record: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(record)
    .filter(([name]) => !isInternal(name))
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function isInternal(name: string): boolean {
  return name.startsWith(":") || name.toLowerCase() === "host";
}
