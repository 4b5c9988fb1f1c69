import type { HttpRoute } from "../manifest/virtual-service.ts";
import { hashText } from "./hash-text.ts";
import type { SplitId } from "./route-table.ts";

/**
 * Identities for the rules of one VirtualService, by position: the rule's name where it has one of its own, else a
 * hash of its conditions. Neither depends on the rules around it, so a rule that is inserted re-keys no other.
 */
export function splitIdsOf(virtualService: string, rules: readonly HttpRoute[]): readonly SplitId[] {
  const uses = new Map<string, number>();
  for (const { name } of rules) {
    if (name !== undefined && name !== "") {
      uses.set(name, (uses.get(name) ?? 0) + 1);
    }
  }
  const taken = new Set<string>();
  return rules.map((rule) => {
    const isNamed = rule.name !== undefined && uses.get(rule.name) === 1;
    const key = isNamed ? (rule.name ?? "") : hashConditions(rule);
    let id = `${virtualService}/${key}`;
    for (let repeat = 2; taken.has(id); repeat += 1) {
      id = `${virtualService}/${key}~${repeat}`;
    }
    taken.add(id);
    return id;
  });
}

function hashConditions(rule: HttpRoute): string {
  return hashText(JSON.stringify(rule.match, sortKeys));
}

/** Objects with sorted keys: the order of the conditions does not count, nor where in a file they are. */
function sortKeys(key: string, value: unknown): unknown {
  if (key === "at") {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
