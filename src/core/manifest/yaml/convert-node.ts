import { isAlias, isMap, isScalar, isSeq, type Alias, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";

import { resolvePlain } from "./resolve-plain.ts";
import type { YamlDocument, YamlEntry, YamlMap, YamlProblem, YamlScalar, YamlValue } from "./yaml-value.ts";

/** A problem, and how to tell it where the text may be a key or a password. */
interface Finding extends YamlProblem {
  readonly withoutQuote: string;
}

interface Conversion {
  readonly problems: Finding[];
  /** What an anchor stands for; undefined while the anchored value is being converted. */
  readonly anchors: Map<string, YamlValue | undefined>;
  /** How many more values aliases may add; below 0 the document is given up. */
  aliasBudget: number;
}

/**
 * Turns the YAML library's tree into plain values. Aliases share the value they name, so nothing is copied however
 * often a bomb repeats it; the size that they would expand to is counted and bounded.
 */
export function convertNode(root: unknown, limits: { readonly aliasedValues: number }): YamlDocument {
  const conversion: Conversion = { problems: [], anchors: new Map(), aliasBudget: limits.aliasedValues };
  const value = convert(root, conversion);
  if (conversion.problems.length === 0) return { value, problems: [] };
  const quotes = !mayHoldSecret(value);
  const problems = conversion.problems.map(({ kind, message, withoutQuote, offset }) => ({
    kind,
    message: quotes ? message : withoutQuote,
    offset,
  }));
  return { value: undefined, problems };
}

/** Whether a document is a Secret, a ConfigMap or the like, or a List with one: then nothing of it may be quoted. */
function mayHoldSecret(value: YamlValue | undefined): boolean {
  if (value?.kind !== "map") return false;
  const kind = value.entries.get("kind")?.value;
  if (value.entries.has("stringData") || (kind?.kind === "string" && /secret|configmap/i.test(kind.value))) return true;
  const items = value.entries.get("items")?.value;
  return items?.kind === "list" && items.items.some(mayHoldSecret);
}

function convert(node: unknown, conversion: Conversion): YamlValue {
  if (isAlias(node)) {
    return convertAlias(node, conversion);
  }
  const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
  if (anchor !== undefined) {
    conversion.anchors.set(anchor, undefined);
  }
  const value = convertUnanchored(node, conversion);
  if (anchor !== undefined) {
    conversion.anchors.set(anchor, value);
  }
  return value;
}

function convertUnanchored(node: unknown, conversion: Conversion): YamlValue {
  if (isScalar(node)) {
    return convertScalar(node, conversion);
  }
  if (isMap(node)) {
    return convertMap(node, conversion);
  }
  if (isSeq(node)) {
    return convertList(node, conversion);
  }
  return { kind: "null", offset: 0 };
}

function convertAlias(alias: Alias, conversion: Conversion): YamlValue {
  const offset = alias.range?.[0] ?? 0;
  const target = conversion.anchors.get(alias.source);
  if (target === undefined) {
    const isCycle = conversion.anchors.has(alias.source);
    conversion.problems.push({
      kind: isCycle ? "limit" : "syntax",
      message: isCycle
        ? `The alias "*${alias.source}" stands inside the value that it names, so it has no end.`
        : `The alias "*${alias.source}" names no anchor above it.`,
      withoutQuote: isCycle
        ? "An alias stands inside the value that it names, so it has no end."
        : "An alias names no anchor above it; quote a text that begins with an asterisk.",
      offset,
    });
    return { kind: "null", offset };
  }
  const before = conversion.aliasBudget;
  conversion.aliasBudget -= sizeOf(target);
  if (before >= 0 && conversion.aliasBudget < 0) {
    const message = "The document's aliases expand to more values than are read.";
    conversion.problems.push({ kind: "limit", message, withoutQuote: message, offset });
  }
  return { ...target, offset };
}

function sizeOf(value: YamlValue): number {
  return value.kind === "map" || value.kind === "list" ? value.size : 1;
}

function convertScalar(node: Scalar, conversion: Conversion): YamlScalar {
  const offset = node.range?.[0] ?? 0;
  const text = node.source ?? String(node.value);
  if (node.tag !== undefined && node.tag !== "!" && node.tag !== "tag:yaml.org,2002:str") {
    conversion.problems.push({ ...unreadTag(node.tag), offset });
  }
  const isPlain = node.type === "PLAIN" && node.tag === undefined;
  return isPlain ? resolvePlain(text, offset) : { kind: "string", value: text, offset };
}

function convertList(node: YAMLSeq, conversion: Conversion): YamlValue {
  checkCollectionTag(node, conversion);
  let size = 1;
  const items = node.items.map((item) => {
    const value = convert(item, conversion);
    size += sizeOf(value);
    return value;
  });
  return { kind: "list", items, offset: node.range?.[0] ?? 0, size };
}

function convertMap(node: YAMLMap, conversion: Conversion): YamlMap {
  checkCollectionTag(node, conversion);
  const entries = new Map<string, YamlEntry>();
  const merged: YamlValue[] = [];
  let size = 1;
  for (const pair of node.items) {
    const key = convert(pair.key, conversion);
    const value = pair.value === null ? { kind: "null" as const, offset: key.offset } : convert(pair.value, conversion);
    size += sizeOf(value) + 1;
    if (isMergeKey(pair, key)) {
      merged.push(...(value.kind === "list" ? value.items : [value]));
      continue;
    }
    const name = keyText(key, conversion);
    if (name === undefined) {
      continue;
    }
    if (entries.has(name)) {
      const message =
        key.kind === "boolean" && key.source !== name
          ? `The key "${key.source}" is read as "${name}", as Kubernetes reads it, and "${name}" is there already; quote it.`
          : `The key "${name}" is there twice.`;
      const withoutQuote = "A key is there twice.";
      conversion.problems.push({ kind: "syntax", message, withoutQuote, offset: key.offset });
      continue;
    }
    entries.set(name, {
      keyOffset: key.offset,
      booleanSource: key.kind === "boolean" && key.source !== name ? key.source : undefined,
      value,
    });
  }
  mergeEntries(entries, merged, conversion);
  return { kind: "map", entries, offset: node.range?.[0] ?? 0, size };
}

function isMergeKey(pair: Pair, key: YamlValue): boolean {
  return key.kind === "string" && key.value === "<<" && isScalar(pair.key) && pair.key.type === "PLAIN";
}

/** What is written out wins over what is merged in, and of several merged mappings the first wins (YAML 1.1 `<<`). */
function mergeEntries(entries: Map<string, YamlEntry>, merged: readonly YamlValue[], conversion: Conversion): void {
  for (const value of merged) {
    if (value.kind !== "map") {
      const message = "The merge key << takes a mapping or a list of mappings.";
      conversion.problems.push({ kind: "syntax", message, withoutQuote: message, offset: value.offset });
      continue;
    }
    for (const [name, entry] of value.entries) {
      if (!entries.has(name)) {
        entries.set(name, entry);
      }
    }
  }
}

function keyText(key: YamlValue, conversion: Conversion): string | undefined {
  switch (key.kind) {
    case "string":
      return key.value;
    case "number":
    case "boolean":
      return String(key.value);
    case "null":
    case "list":
    case "map": {
      const message = "A key must be a string.";
      conversion.problems.push({ kind: "syntax", message, withoutQuote: message, offset: key.offset });
      return undefined;
    }
  }
}

function unreadTag(tag: string): Omit<Finding, "offset"> {
  const withoutQuote = "A tag is not read; quote a text that begins with an exclamation mark.";
  return { kind: "syntax", message: `The tag "${tag}" is not read.`, withoutQuote };
}

function checkCollectionTag(node: YAMLMap | YAMLSeq, conversion: Conversion): void {
  const { tag } = node;
  if (tag !== undefined && tag !== "!" && tag !== "tag:yaml.org,2002:map" && tag !== "tag:yaml.org,2002:seq") {
    conversion.problems.push({ ...unreadTag(tag), offset: node.range?.[0] ?? 0 });
  }
}
