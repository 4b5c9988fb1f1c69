import { asList, asObject, type JsonObject } from "./json-value.ts";

/**
 * A header that a rule and an entry of its `route` both change, in lower case. Alone the entry's change comes last; beside
 * others it belongs to its share, which a proxy carries out before those of the rule (Istio `route.go`, Envoy
 * `config_impl.cc`). So whoever gives such a rule one entry, or takes all but one away, changes what requests carry.
 */
export function findTwofoldHeader(rule: JsonObject, entry: JsonObject | undefined): string | undefined {
  for (const side of ["request", "response"]) {
    const own = new Set(changedHeaders(asObject(asObject(entry?.["headers"])[side])));
    const twofold = changedHeaders(asObject(asObject(rule["headers"])[side])).find((name) => own.has(name));
    if (twofold !== undefined) return twofold;
  }
  return undefined;
}

/** In lower case. */
function changedHeaders({ set, add, remove }: JsonObject): readonly string[] {
  const names = [...Object.keys(asObject(set)), ...Object.keys(asObject(add)), ...asList(remove).map(String)];
  return names.map((name) => name.toLowerCase());
}
