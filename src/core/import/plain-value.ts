import type { YamlValue } from "../manifest/yaml/yaml-value.ts";

/** The value without its places. */
export function plainValue(value: YamlValue | undefined): unknown {
  switch (value?.kind) {
    case "string":
    case "number":
    case "boolean":
      return value.value;
    case "list":
      return value.items.map(plainValue);
    case "map":
      return Object.fromEntries([...value.entries].map(([name, entry]) => [name, plainValue(entry.value)]));
    case "null":
    case undefined:
      return null;
  }
}
