import type { HeaderMutation } from "./route-table.ts";

type Headers = readonly (readonly [name: string, value: string])[];

/**
 * Headers after one change after the other. Within a change headers are removed, then set, then added, whatever order
 * they were written in; an empty value changes nothing, and `%%` is a percent sign. Variables such as `%PROTOCOL%` are
 * left as they are. Names that change come out in lower case.
 * Source: Envoy `source/common/router/header_parser.cc`, evaluateHeaders.
 */
export function mutateHeaders(headers: Headers, changes: readonly HeaderMutation[]): Headers {
  return changes.reduce(mutateOnce, headers);
}

function mutateOnce(headers: Headers, { set, add, remove }: HeaderMutation): Headers {
  if (set.length + add.length + remove.length === 0) {
    return headers;
  }
  const removed = new Set(remove.map((name) => name.toLowerCase()));
  let result = headers.filter(([name]) => !removed.has(name.toLowerCase()));
  for (const [name, value] of written(set)) {
    result = [...result.filter(([other]) => other.toLowerCase() !== name), [name, value]];
  }
  return [...result, ...written(add)];
}

function written(entries: Headers): Headers {
  return entries
    .filter(([, value]) => value !== "")
    .map(([name, value]) => [name.toLowerCase(), value.replaceAll("%%", "%")]);
}
