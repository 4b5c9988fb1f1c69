import type { ReleaseRoute } from "../manifest/release.ts";
import type { InputCatalog } from "./import-result.ts";
import { plainValue } from "./plain-value.ts";

/**
 * The VirtualServices of the given files with a rule that delegates to this one: requests for a delegate's rules are
 * theirs, so a Release names them.
 */
export function findDelegators(
  catalog: InputCatalog,
  delegate: { readonly namespace: string; readonly name: string },
): readonly ReleaseRoute[] {
  return catalog
    .all("VirtualService")
    .filter((one) =>
      delegatesOf(plainValue(one.root.at("spec", "http").value)).some(
        ({ name, namespace = one.namespace }) => name === delegate.name && namespace === delegate.namespace,
      ),
    )
    .map(({ namespace, name }) => ({ namespace, virtualService: name, route: undefined }));
}

function delegatesOf(rules: unknown): readonly { readonly name: unknown; readonly namespace?: unknown }[] {
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: unknown) => {
    const delegate = memberOf(rule, "delegate");
    const name = memberOf(delegate, "name");
    const namespace = memberOf(delegate, "namespace");
    if (name === undefined) return [];
    return [typeof namespace === "string" && namespace !== "" ? { name, namespace } : { name }];
  });
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(name)
    : undefined;
}
