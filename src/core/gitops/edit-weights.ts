import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { JsonObject } from "../site/json-value.ts";
import { routeEntries, weightOf } from "../site/rule-entries.ts";
import { destinationKey } from "./compare-services.ts";
import { endOfLine, lineEndOf, type TextEdit } from "./text-edit.ts";

export interface RuleEdit {
  readonly text: string;
  readonly node: YAMLMap;
  readonly written: JsonObject;
  readonly live: JsonObject;
  readonly namespace: string;
}

/** A text says why the rule cannot be edited by itself. */
export type RuleEdits = readonly TextEdit[] | string;

/**
 * What makes the rule in the file have the weights of the live one, by the places of its values: weights are replaced
 * where they stand, and entries that git does not have are added behind the others. Nothing else of the file is touched.
 */
export function editWeights(rule: RuleEdit): RuleEdits {
  const { text, node, live, namespace } = rule;
  const route = asNode(node.get("route", true));
  if (isAlias(route) || !isSeq(route)) return "its route is not written where it stands";
  if (route.anchor !== undefined) return `its route has the anchor &${route.anchor}, which others use`;
  const left = new Map(routeEntries(live).map((entry) => [destinationKey(entry, namespace), entry]));
  const edits: TextEdit[] = [];
  for (const entry of matchWritten(route, rule)) {
    if (typeof entry === "string") return entry;
    left.delete(entry.key);
    const edit = entry.weight === undefined ? undefined : setWeight(text, entry.item, entry.weight);
    if (typeof edit === "string") return edit;
    if (edit !== undefined) edits.push(edit);
  }
  const isOnly = routeEntries(live).length === 1;
  const more = [...left.values()].filter((entry) => isOnly || (weightOf(entry) ?? 0) > 0);
  // An only entry says no weight, and beside another one it would count as 0.
  const added = isOnly ? more.map((entry) => ({ ...entry, weight: 100 })) : more;
  if (added.length > 0) edits.push(addEntries(text, route, added));
  return mergeSamePlace(edits);
}

interface WrittenEntry {
  readonly item: YAMLMap;
  readonly key: string;
  /** Undefined where it does not count. */
  readonly weight: number | undefined;
}

/** Each entry of the file with the weight that it is to have; 0 for one that is not live any more. */
function matchWritten(route: YAMLSeq, { written, live, namespace }: RuleEdit): readonly (WrittenEntry | string)[] {
  const running = routeEntries(live);
  const isOnly = running.length === 1 && route.items.length === 1;
  return routeEntries(written).map((entry, at) => {
    const item = route.items[at];
    if (!isMap(item)) return "an entry of its route is not written where it stands";
    if (item.anchor !== undefined) return `an entry has the anchor &${item.anchor}, which others use`;
    const key = destinationKey(entry, namespace);
    const same = running.find((each) => destinationKey(each, namespace) === key);
    if (same === undefined) return { item, key, weight: 0 };
    // One that takes everything need not say so.
    const weight = running.length === 1 ? 100 : (weightOf(same) ?? 0);
    return { item, key, weight: isOnly ? undefined : weight };
  });
}

function setWeight(text: string, entry: YAMLMap, weight: number): TextEdit | string | undefined {
  const pair = entry.items.find((each) => isScalar(each.key) && each.key.value === "weight");
  if (pair === undefined) return weight === 0 ? undefined : addWeight(text, entry, weight);
  const value = asNode(pair.value);
  if (value?.range === undefined || value.range === null) return "a weight has no value";
  if (!isAlias(value) && !isScalar(value)) return "a weight is no number";
  if (isScalar(value) && value.anchor !== undefined)
    return `a weight has the anchor &${value.anchor}, which others use`;
  if (isScalar(value) && Number(value.value) === weight) return undefined;
  const [start, end] = value.range;
  return { start, end, text: String(weight) };
}

/** Behind the last field of the entry, in the way in which the entry is written. */
function addWeight(text: string, entry: YAMLMap, weight: number): TextEdit | string {
  const last = entry.items.at(-1);
  const end = last === undefined ? undefined : endOfPair(last);
  if (end === undefined) return "an entry of its route is empty";
  if (entry.flow === true) {
    const name = text.trimStart().startsWith("{") ? '"weight"' : "weight";
    return { start: end, end, text: `, ${name}: ${weight}` };
  }
  return addLines(text, end, `${" ".repeat(columnOf(text, entry))}weight: ${weight}`);
}

function addEntries(text: string, route: YAMLSeq, entries: readonly JsonObject[]): TextEdit {
  const last = asNode(route.items.at(-1));
  const end = last?.range?.[1] ?? route.range?.[1] ?? 0;
  if (route.flow === true) {
    // A file of JSON has to stay one.
    const render = text.trimStart().startsWith("{") ? renderJson : renderFlow;
    return { start: end, end, text: entries.map((entry) => `, ${render(entry)}`).join("") };
  }
  const column = dashColumn(text, last);
  const isFlow = isMap(last) && last.flow === true;
  const lines = entries.flatMap((entry) => (isFlow ? [`- ${renderFlow(entry)}`] : renderBlock(entry)));
  return addLines(text, endOfNode(last, end), lines.map((line) => " ".repeat(column) + line).join(lineEndOf(text)));
}

function renderJson(entry: JsonObject): string {
  return JSON.stringify(entry, undefined, 1).replaceAll(/\n\s*/gu, " ");
}

function renderFlow(entry: JsonObject): string {
  return stringify(entry, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

function renderBlock(entry: JsonObject): readonly string[] {
  const lines = stringify(entry, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split("\n");
  return lines.map((line, at) => (at === 0 ? `- ${line}` : `  ${line}`));
}

/** Whole lines behind the line of an offset; what stands behind a value in its own line stays there. */
function addLines(text: string, offset: number, lines: string): TextEdit {
  const at = endOfLine(text, offset);
  const lineEnd = lineEndOf(text);
  const isLast = at === text.length && !text.endsWith("\n");
  return { start: at, end: at, text: isLast ? lineEnd + lines : lines + lineEnd };
}

/** The end of what is written, without blanks and comments behind it. */
function endOfNode(node: Node | undefined, otherwise: number): number {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1);
    return (last === undefined ? undefined : endOfPair(last)) ?? otherwise;
  }
  if (isSeq(node) && node.flow !== true) return endOfNode(asNode(node.items.at(-1)), otherwise);
  return node?.range?.[1] ?? otherwise;
}

function endOfPair({ key, value }: Pair): number | undefined {
  const ofKey = asNode(key)?.range?.[1];
  return ofKey === undefined ? undefined : endOfNode(asNode(value), ofKey + 1);
}

function columnOf(text: string, node: Node): number {
  const start = node.range?.[0] ?? 0;
  return start - (text.lastIndexOf("\n", start - 1) + 1);
}

/** Where the dashes of a list stand, from its last item. */
function dashColumn(text: string, item: Node | undefined): number {
  const start = item?.range?.[0] ?? 0;
  const dash = text.lastIndexOf("-", start - 1);
  return dash - (text.lastIndexOf("\n", dash) + 1);
}

/** A weight and an entry that go behind the same line are one edit. */
function mergeSamePlace(edits: readonly TextEdit[]): readonly TextEdit[] {
  const merged: TextEdit[] = [];
  for (const edit of edits) {
    const last = merged.at(-1);
    if (last !== undefined && last.start === edit.start && last.end === edit.end && edit.start === edit.end) {
      merged[merged.length - 1] = { ...last, text: last.text + edit.text };
    } else merged.push(edit);
  }
  return merged;
}

/** The syntax tree says less of its parts than it knows. */
function asNode(value: unknown): Node | undefined {
  return isNode(value) ? value : undefined;
}
