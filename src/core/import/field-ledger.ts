import type { Position } from "../diagnostics/position.ts";
import { describeType, type YamlEntry, type YamlValue } from "../manifest/yaml/yaml-value.ts";
import type { ImportNote, LeftOut } from "./import-note.ts";

/** What became of a field: it is in the Release, a note says why not, or it says nothing about traffic. */
type Fate = "translated" | "noted" | "leftOut";

/** How many notes one object may get, so that a hopeless file cannot drown everything else. */
const maxNotes = 500;

/**
 * Remembers for one object what became of each of its fields, so that none is dropped silently: what nobody accounted
 * for in the end gets a note by itself.
 */
export class FieldLedger {
  readonly resource: string;
  readonly #positionOf: (offset: number) => Position;
  readonly #fates = new Map<string, Fate>();
  readonly #notes = new Map<string, ImportNote>();
  readonly #leftOut = new Map<string, string[]>();
  /** Paths of what was accounted for, and of everything that it is within. */
  readonly #touched = new Set<string>();
  #cut = 0;

  constructor(resource: string, positionOf: (offset: number) => Position) {
    this.resource = resource;
    this.#positionOf = positionOf;
  }

  /** In the order in which they were made, the cut told at the end. */
  get notes(): readonly ImportNote[] {
    const notes = [...this.#notes.values()];
    const last = notes.at(-1);
    if (this.#cut === 0 || last === undefined) return notes;
    return [...notes, { ...last, path: "spec", message: `${this.#cut} more fields have no equal and are not named.` }];
  }

  get leftOut(): readonly LeftOut[] {
    return [...this.#leftOut].map(([reason, paths]) => ({ resource: this.resource, reason, paths }));
  }

  fateOf(path: string): Fate | undefined {
    return this.#fates.get(path);
  }

  isTouched(path: string): boolean {
    return this.#touched.has(path);
  }

  translate(field: InputField): void {
    this.#settle(field, "translated");
  }

  note(field: InputField, message: string): void {
    const { path } = field;
    this.#settle(field, "noted");
    const key = `${path}\n${message}`;
    if (this.#notes.has(key)) return;
    if (this.#notes.size >= maxNotes) {
      this.#cut += 1;
      return;
    }
    this.#notes.set(key, { resource: this.resource, path, message, at: this.#positionOf(field.offset) });
  }

  leaveOut(field: InputField, reason: string): void {
    this.#settle(field, "leftOut");
    const paths = this.#leftOut.get(reason) ?? [];
    if (!paths.includes(field.path)) paths.push(field.path);
    this.#leftOut.set(reason, paths);
  }

  #settle(field: InputField, fate: Fate): void {
    this.#fates.set(field.path, fate);
    for (let at: InputField | undefined = field; at !== undefined; at = at.parent) {
      if (this.#touched.has(at.path)) return;
      this.#touched.add(at.path);
    }
  }
}

/**
 * A value of the object, and the way to it; reading it accounts for it. A field that is not there can be read too: it is
 * empty, and nothing that is said about it is told.
 */
export class InputField {
  readonly path: string;
  readonly value: YamlValue;
  readonly ledger: FieldLedger;
  readonly parent: InputField | undefined;
  /** Where its name is written, or itself where it has none. */
  readonly offset: number;

  constructor(
    path: string,
    value: YamlValue,
    from: { readonly ledger: FieldLedger; readonly parent?: InputField; readonly offset?: number },
  ) {
    this.path = path;
    this.value = value;
    this.ledger = from.ledger;
    this.parent = from.parent;
    this.offset = from.offset ?? value.offset;
  }

  /** `null` is the same as absent. */
  get exists(): boolean {
    return this.value.kind !== "null";
  }

  get(name: string): InputField {
    const entry = this.value.kind === "map" ? this.value.entries.get(name) : undefined;
    return this.#child(name, entry ?? absentAt(this.offset));
  }

  /** The field at the end of a chain of names. */
  at(...names: readonly string[]): InputField {
    return names.reduce<InputField>((field, name) => field.get(name), this);
  }

  /** Empty, with a note, where it is no list. */
  items(): readonly InputField[] {
    if (!this.exists) return [];
    if (this.value.kind !== "list") {
      this.#noteType("a list");
      return [];
    }
    if (this.value.items.length === 0) this.translate();
    return this.value.items.map((item, index) => this.#inner(`${this.path}[${index}]`, item));
  }

  /** Empty, with a note, where it is no mapping. */
  entries(): readonly (readonly [name: string, field: InputField])[] {
    if (!this.exists) return [];
    if (this.value.kind !== "map") {
      this.#noteType("a mapping");
      return [];
    }
    if (this.value.entries.size === 0) this.translate();
    return [...this.value.entries].map(([name, entry]) => [name, this.#child(name, entry)] as const);
  }

  /** A string; a number or a boolean is taken as it is written, as the other tools' `IntOrString` fields are. */
  text(): string | undefined {
    const { value } = this;
    if (value.kind !== "string" && value.kind !== "number" && value.kind !== "boolean")
      return this.#noteType("a string");
    this.translate();
    return value.kind === "string" ? value.value : value.source;
  }

  number(): number | undefined {
    const { value } = this;
    const read =
      value.kind === "string" && /^-?\d{1,15}(?:\.\d{1,15})?$/u.test(value.value) ? Number(value.value) : undefined;
    const number = value.kind === "number" && Number.isFinite(value.value) ? value.value : read;
    if (number === undefined) return this.#noteType("a number");
    this.translate();
    return number;
  }

  boolean(): boolean | undefined {
    if (this.value.kind !== "boolean") return this.#noteType("true or false");
    this.translate();
    return this.value.value;
  }

  /** Says that the whole of it is in the Release, or stands for nothing else. */
  translate(): void {
    if (this.exists) this.ledger.translate(this);
  }

  /** Says why it, or a part of it, has no equal. */
  note(message: string): void {
    if (this.exists) this.ledger.note(this, message);
  }

  /** Says that it is about something else than traffic. */
  leaveOut(reason: string): void {
    if (this.exists) this.ledger.leaveOut(this, reason);
  }

  /** The same for each of the named fields that is there. */
  leaveOutFields(names: readonly string[], reason: string): void {
    for (const name of names) this.get(name).leaveOut(reason);
  }

  #child(name: string, { value, keyOffset }: YamlEntry): InputField {
    const isPlain = /^[A-Za-z_][A-Za-z0-9_-]*$/u.test(name);
    const step = isPlain ? `.${name}` : `[${JSON.stringify(name)}]`;
    return this.#inner(this.path === "" ? name : `${this.path}${step}`, value, keyOffset);
  }

  #inner(path: string, value: YamlValue, offset = value.offset): InputField {
    return new InputField(path, value, { ledger: this.ledger, parent: this, offset });
  }

  #noteType(expected: string): undefined {
    this.note(`It has to be ${expected}, but is ${describeType(this.value)}, so it is left out.`);
  }
}

function childrenOf(field: InputField): readonly InputField[] {
  if (field.value.kind === "list") return field.items();
  return field.value.kind === "map" ? field.entries().map(([, child]) => child) : [];
}

function absentAt(offset: number): YamlEntry {
  return { value: { kind: "null", offset }, keyOffset: offset, booleanSource: undefined };
}

/** Gives a note to everything that nobody accounted for: one for each part of which nothing at all was read. */
export function settleFields(field: InputField): void {
  if (!field.exists) return;
  const { ledger, path } = field;
  const fate = ledger.fateOf(path);
  if (fate === "translated" || fate === "leftOut") return;
  if (!ledger.isTouched(path)) {
    field.note("It is no field that the importer knows, so it is left out.");
    return;
  }
  const children = childrenOf(field);
  // A note may be about the whole of a field, or be one word more about a field that is read.
  if (fate === "noted" && !children.some((child) => ledger.isTouched(child.path))) return;
  for (const child of children) settleFields(child);
}
