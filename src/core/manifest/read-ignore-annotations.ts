import { ignoreAnnotation, type IgnoreAnnotation } from "../diagnostics/suppression.ts";
import type { SourceText } from "./manifest.ts";
import type { ParseOptions } from "./parse-manifests.ts";
import { FieldIndex } from "./yaml/field-index.ts";
import { LineIndex } from "./yaml/line-index.ts";
import { readYaml } from "./yaml/read-yaml.ts";
import type { YamlEntry, YamlMap, YamlValue } from "./yaml/yaml-value.ts";

/**
 * Every `kirikae.dev/ignore` annotation of every object, also of kinds that are not read. Only texts that hold the word
 * are parsed for it, so the others cost nothing. What is no object, or no string, is the parser's affair.
 */
export function readIgnoreAnnotations(
  sources: readonly SourceText[],
  options: ParseOptions,
): readonly IgnoreAnnotation[] {
  return sources.filter(({ text }) => text.includes(ignoreAnnotation)).flatMap((source) => readSource(source, options));
}

function readSource({ path, text, isObject }: SourceText, options: ParseOptions): readonly IgnoreAnnotation[] {
  const found: IgnoreAnnotation[] = [];
  const lines = isObject === true ? new FieldIndex(path, text) : new LineIndex(path, text);
  for (const { value } of readYaml(text)) {
    for (const object of objectsOf(value)) {
      const entry = entryOf(object, ["metadata", "annotations", ignoreAnnotation]);
      if (entry?.value.kind !== "string") continue;
      const at = lines.positionOf(entry.keyOffset);
      found.push({ resource: nameObject(object, options), text: entry.value.value, at });
    }
  }
  return found;
}

/** The document itself, or the items of a List. Depth is bounded by the YAML reader. */
function* objectsOf(value: YamlValue | undefined): Generator<YamlMap> {
  if (value?.kind !== "map") return;
  const items = value.entries.get("items")?.value;
  if (textAt(value, ["kind"])?.endsWith("List") === true && items?.kind === "list") {
    for (const item of items.items) yield* objectsOf(item);
  } else {
    yield value;
  }
}

/** The name under which findings speak of the object. */
function nameObject(object: YamlMap, { defaultNamespace }: ParseOptions): string {
  const kind = textAt(object, ["kind"]) ?? "";
  const namespace = kind === "Namespace" ? "" : `${textAt(object, ["metadata", "namespace"]) ?? defaultNamespace}/`;
  return `${kind} ${namespace}${textAt(object, ["metadata", "name"]) ?? "(no name)"}`;
}

function textAt(object: YamlMap, path: readonly string[]): string | undefined {
  const value = entryOf(object, path)?.value;
  return value?.kind === "string" && value.value !== "" ? value.value : undefined;
}

function entryOf(object: YamlMap, path: readonly string[]): YamlEntry | undefined {
  let entry: YamlEntry | undefined;
  let value: YamlValue | undefined = object;
  for (const name of path) {
    entry = value?.kind === "map" ? value.entries.get(name) : undefined;
    value = entry?.value;
  }
  return entry;
}
