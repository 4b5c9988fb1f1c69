import type { SourceText } from "../manifest/manifest.ts";
import { LineIndex } from "../manifest/yaml/line-index.ts";
import { readYaml } from "../manifest/yaml/read-yaml.ts";
import type { YamlMap, YamlValue } from "../manifest/yaml/yaml-value.ts";
import type { Position } from "../diagnostics/position.ts";
import { FieldLedger, InputField } from "./field-ledger.ts";

/** A Kubernetes object as it stands in a file, of whatever kind. */
export interface InputObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace: string;
  /** With an empty path. */
  readonly root: InputField;
  readonly at: Position;
}

/** What keeps a text from being read. */
export interface InputProblem {
  readonly message: string;
  readonly at: Position;
}

export interface ReadInput {
  readonly objects: readonly InputObject[];
  readonly problems: readonly InputProblem[];
}

/** Reads every object of the texts, those of Lists too; what cannot be read is a problem, never an exception. */
export function readInput(sources: readonly SourceText[], options: { readonly defaultNamespace: string }): ReadInput {
  const objects: InputObject[] = [];
  const problems: InputProblem[] = [];
  for (const { path, text: raw } of sources) {
    const text = raw.includes("\r") ? raw.replaceAll(/\r(?!\n)/gu, "\n") : raw;
    const lines = new LineIndex(path, text);
    const positionOf = (offset: number): Position => lines.positionOf(offset);
    for (const { value, problems: found } of readYaml(text)) {
      problems.push(...found.map(({ message, offset }) => ({ message, at: positionOf(offset) })));
      for (const map of objectsIn(value)) objects.push(describeObject(map, { positionOf, ...options }));
    }
  }
  return { objects, problems };
}

function objectsIn(value: YamlValue | undefined): readonly YamlMap[] {
  if (value?.kind !== "map") return [];
  const items = value.entries.get("items")?.value;
  const isList = textOf(value, "kind")?.endsWith("List") === true;
  return isList && items?.kind === "list" ? items.items.flatMap(objectsIn) : [value];
}

function describeObject(
  value: YamlMap,
  options: { readonly positionOf: (offset: number) => Position; readonly defaultNamespace: string },
): InputObject {
  const metadata = value.entries.get("metadata")?.value;
  const kind = textOf(value, "kind") ?? "";
  const name = textOf(metadata, "name") ?? "";
  const namespace = textOf(metadata, "namespace") ?? options.defaultNamespace;
  const isClusterWide = kind.startsWith("Cluster");
  const ledger = new FieldLedger(`${kind} ${isClusterWide ? name : `${namespace}/${name}`}`, options.positionOf);
  const apiVersion = textOf(value, "apiVersion") ?? "";
  const at = options.positionOf(value.offset);
  return { kind, apiVersion, name, namespace, root: new InputField("", value, { ledger }), at };
}

function textOf(value: YamlValue | undefined, name: string): string | undefined {
  const entry = value?.kind === "map" ? value.entries.get(name)?.value : undefined;
  return entry?.kind === "string" && entry.value !== "" ? entry.value : undefined;
}

/** Accounts for what every object has beside its spec. */
export function leaveOutMetadata({ root }: InputObject): void {
  for (const name of ["apiVersion", "kind"]) root.get(name).translate();
  for (const [name, field] of root.get("metadata").entries()) {
    if (name === "name" || name === "namespace") field.translate();
    else field.leaveOut("it describes the object itself");
  }
  root.get("status").leaveOut("it is the other controller's own record");
}
