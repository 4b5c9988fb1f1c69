import type { Position } from "../../diagnostics/position.ts";
import { LineIndex } from "./line-index.ts";

/**
 * Turns offsets of the JSON of one object into the fields that begin there, `spec.http[0].match`: an object of an API
 * server is in no file, and the lines of how it happens to be written down tell nobody where to look.
 */
export class FieldIndex {
  readonly #lines: LineIndex;
  readonly #text: string;
  #fields: readonly Field[] | undefined;

  /** The text has to be JSON. */
  constructor(object: string, text: string) {
    this.#lines = new LineIndex(object, text);
    this.#text = text;
  }

  /** Line and column are those of the JSON: they keep two places apart and in order, and are not for showing. */
  positionOf(offset: number): Position {
    const fields = (this.#fields ??= [...listFields(this.#text)]);
    let low = 0;
    let high = fields.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((fields[middle]?.offset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { ...this.#lines.positionOf(offset), field: fields[low]?.path ?? "" };
  }
}

interface Field {
  readonly offset: number;
  readonly path: string;
}

/** A map or a list that has not ended. */
interface Open {
  readonly path: string;
  /** The number of the next item of a list; undefined in a map. */
  index: number | undefined;
  /** The key whose value comes next. */
  key: string | undefined;
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gu;

/** Every key and value with its path, in order of the text. */
function* listFields(text: string): Generator<Field> {
  const open: Open[] = [];
  for (const { 0: token, index: offset } of text.matchAll(tokens)) {
    const top = open.at(-1);
    if (token === "}" || token === "]") {
      open.pop();
      endValue(open.at(-1));
    } else if (token === ",") {
      if (top?.index !== undefined) top.index += 1;
    } else if (token !== ":") {
      if (top !== undefined && top.index === undefined && top.key === undefined) top.key = readKey(token);
      const path = pathIn(top);
      yield { offset, path };
      if (token === "{" || token === "[") open.push({ path, index: token === "[" ? 0 : undefined, key: undefined });
      else if (isValue(text, offset + token.length, top)) endValue(top);
    }
  }
}

/** A text before a colon is a key, and its value is still to come. */
function isValue(text: string, after: number, top: Open | undefined): boolean {
  if (top === undefined || top.index !== undefined) return true;
  for (let at = after; at < text.length; at += 1) {
    if (text[at] === ":") return false;
    if (!/\s/u.test(text[at] ?? "")) return true;
  }
  return true;
}

function endValue(top: Open | undefined): void {
  if (top !== undefined) top.key = undefined;
}

function readKey(token: string): string {
  return token.replaceAll(/^"|"$/gu, "");
}

function pathIn(top: Open | undefined): string {
  if (top === undefined) return "";
  if (top.index !== undefined) return `${top.path}[${top.index}]`;
  const key = top.key ?? "";
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/u.test(key)) return `${top.path}['${key}']`;
  return top.path === "" ? key : `${top.path}.${key}`;
}
