import { isMap, isScalar, isSeq, parseAllDocuments, type Document, type YAMLMap } from "yaml";
import type { SourceText, VirtualServiceManifest } from "../manifest/manifest.ts";
import { objectName } from "../manifest/manifest.ts";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { splitIdsOf } from "../routes/split-id.ts";
import { asObject, asText, type JsonObject } from "../site/json-value.ts";

/** A VirtualService as a file says it. */
export interface GitService {
  /** `namespace/name`. */
  readonly name: string;
  readonly file: string;
  /** Of the document; counts from 1. */
  readonly line: number;
  readonly rules: readonly GitRule[];
}

interface GitRule {
  /** Tells the rule from others of its VirtualService, in git and live alike. */
  readonly key: string;
  /** What people call it: its name, and without one its place in the list, counted from 0. */
  readonly label: string;
  /** The node of the rule in the file's syntax tree. */
  readonly node: YAMLMap;
  /** What it says, aliases resolved. */
  readonly written: JsonObject;
}

/** A file that is not read, because what it stands for is made elsewhere. */
export interface SkippedFile {
  readonly file: string;
  readonly why: string;
}

export interface GitServices {
  readonly services: readonly GitService[];
  readonly skipped: readonly SkippedFile[];
}

/** The VirtualServices in files; templates are named and not guessed at. Never throws. */
export function readGitServices(sources: readonly SourceText[], defaultNamespace: string): GitServices {
  const services: GitService[] = [];
  const skipped: SkippedFile[] = [];
  const changing = findChangingFolders(sources);
  for (const source of sources) {
    if (!source.text.includes("VirtualService")) continue;
    const why = complainTemplate(source.text) ?? changing.get(folderOf(source.path));
    if (why !== undefined) {
      skipped.push({ file: source.path, why });
      continue;
    }
    const read = readFile(source, defaultNamespace);
    if (typeof read === "string") skipped.push({ file: source.path, why: read });
    else services.push(...read);
  }
  return { services, skipped };
}

/** Helm's, and what else is filled in before it is YAML. */
function complainTemplate(text: string): string | undefined {
  return /\{\{.*?\}\}/su.test(text)
    ? "it is a template ({{...}}), and what it becomes is decided elsewhere"
    : undefined;
}

const changingFields = [
  "namespace",
  "namePrefix",
  "nameSuffix",
  "patches",
  "patchesStrategicMerge",
  "patchesJson6902",
  "replacements",
];

/** A kustomization.yaml that changes its files, by its folder. */
function findChangingFolders(sources: readonly SourceText[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, text } of sources) {
    if (!/(?:^|\/)[Kk]ustomization\.ya?ml$/u.test(path)) continue;
    const field = changingFields.find((name) => new RegExp(`^${name}:`, "mu").test(text));
    if (field === undefined) continue;
    found.set(folderOf(path), `the kustomization.yaml beside it changes what it holds (${field})`);
  }
  return found;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** A text says why the file cannot be read. */
function readFile(source: SourceText, defaultNamespace: string): readonly GitService[] | string {
  const documents = parseAllDocuments(source.text, { version: "1.1", merge: true, logLevel: "silent" });
  if (!Array.isArray(documents)) return [];
  const broken = documents.find(({ errors }) => errors.length > 0);
  if (broken !== undefined) return `it is not YAML: ${broken.errors[0]?.message.split("\n")[0] ?? ""}`;
  const byOffset = new Map<number, Pick<GitRule, "node" | "written">>();
  for (const document of documents) {
    for (const node of ruleNodes(document)) {
      byOffset.set(node.range?.[0] ?? -1, { node, written: asObject(node.toJS(document)) });
    }
  }
  const lines = lineStarts(source.text);
  const { manifests } = parseManifests([source], { defaultNamespace });
  const services = manifests.filter(
    (manifest): manifest is VirtualServiceManifest => manifest.kind === "VirtualService",
  );
  return services.map((manifest) => {
    const name = objectName(manifest);
    const ids = splitIdsOf(name, manifest.spec.http);
    const rules = manifest.spec.http.flatMap((rule, index): readonly GitRule[] => {
      const found = byOffset.get((lines[rule.at.line - 1] ?? 0) + rule.at.column - 1);
      if (found === undefined) return [];
      const key = (ids[index] ?? "").slice(name.length + 1);
      return [{ key, label: labelRule(found.written, index), ...found }];
    });
    return { name, file: source.path, line: manifest.at.line, rules };
  });
}

/** How people are told of a rule: its name, or its place where it has none. */
export function labelRule(rule: JsonObject, index: number): string {
  return asText(rule["name"]) ?? String(index);
}

/** Rules of VirtualServices that are written where they stand; one that an alias stands for belongs to several places. */
function* ruleNodes(document: Document.Parsed): Generator<YAMLMap> {
  const { contents } = document;
  if (!isMap(contents)) return;
  const items = contents.get("items", true);
  for (const object of isSeq(items) ? items.items : [contents]) {
    if (!isMap(object)) continue;
    const kind = object.get("kind", true);
    if (!isScalar(kind) || kind.value !== "VirtualService") continue;
    const http = object.getIn(["spec", "http"], true);
    if (isSeq(http)) for (const rule of http.items) if (isMap(rule)) yield rule;
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
