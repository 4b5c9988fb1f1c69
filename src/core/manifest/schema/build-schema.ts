import type { FieldShape, ObjectShape, ScalarType, Shape } from "../decode/decoder.ts";
import { kindReaders } from "../kind-table.ts";
import { describedFields, type FieldFacts } from "./field-facts.ts";

/** A JSON Schema, or a part of one (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

const kinds = ["Release", "LocalWorkload"] as const;

/** kirikae's own kinds. */
export type OwnKind = (typeof kinds)[number];

const noMetadata = { name: "", namespace: "", labels: {}, annotations: {}, creationTimestamp: undefined };

/**
 * The schema of kirikae's own kinds, for editors: made from what the decoders read, so that it cannot drift from them.
 * It refuses nothing that they take, but for empty values, which they take for absent ones; what depends on several
 * fields at once is left to `check`. Documents of other kinds pass, because one file holds many.
 */
export function buildSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "kirikae.dev/v1alpha1",
    description: "Release and LocalWorkload. Made by `kirikae schema` from what kirikae itself reads.",
    type: "object",
    allOf: kinds.map((kind) => ({
      if: { properties: { apiVersion: { const: "kirikae.dev/v1alpha1" }, kind: { const: kind } }, required: ["kind"] },
      // oxlint-disable-next-line unicorn/no-thenable -- it is the keyword's name, and nobody awaits it.
      then: { $ref: `#/$defs/${kind}` },
    })),
    $defs: buildDefinitions(),
  };
}

/** Both kinds, and every object that stands at more than one place, such as a check. */
function buildDefinitions(): JsonSchema {
  const parts: Parts = { names: nameRepeated(), made: new Map() };
  const own = kinds.map((kind) => [kind, buildKind(kind, parts)] as const);
  return Object.fromEntries([...own, ...parts.made]);
}

interface Parts {
  /** How an object that is met more than once is called. */
  readonly names: ReadonlyMap<Shape, string>;
  readonly made: Map<string, JsonSchema>;
}

function nameRepeated(): ReadonlyMap<Shape, string> {
  const seen = new Map<Shape, string>();
  const names = new Map<Shape, string>();
  const visit = (shape: Shape | undefined, path: string): void => {
    if (shape === undefined) return;
    if (shape.kind === "object") {
      const before = seen.get(shape);
      if (before !== undefined) {
        if (!names.has(shape)) names.set(shape, freeName(before, new Set(names.values())));
        return;
      }
      seen.set(shape, path);
    }
    for (const [child, childPath] of childrenOf(shape, path)) visit(child, childPath);
  };
  for (const kind of kinds) visit(specShape(kind), `${kind}.spec`);
  return names;
}

/** The last name of the path, with those before it where that is taken. */
function freeName(path: string, taken: ReadonlySet<string>): string {
  const steps = path.replaceAll(/\[\]|\.\*/gu, "").split(".");
  for (let count = 1; count < steps.length; count += 1) {
    const name = steps.slice(-count).join("-");
    if (!taken.has(name)) return name;
  }
  return path;
}

function childrenOf(shape: Shape, path: string): readonly (readonly [Shape | undefined, string])[] {
  switch (shape.kind) {
    case "object":
      return Object.entries(shape.fields).map(([name, field]) => [field.shape, `${path}.${name}`]);
    case "list":
      return [[shape.item, `${path}[]`]];
    case "map":
      return [[shape.item, `${path}.*`]];
    case "either":
      return shape.shapes.map((each) => [each, path]);
    case "enum":
    case "scalar":
      return [];
  }
}

/** Every path that the schema has, for a test of the descriptions. */
export function listSchemaPaths(): readonly string[] {
  const paths: string[] = [];
  for (const kind of kinds) collectPaths(specShape(kind), `${kind}.spec`, paths);
  return [...new Set(paths)];
}

/** What the decoder of a kind reads. */
export function specShape(kind: OwnKind): Shape | undefined {
  return kindReaders.find((reader) => reader.kind === kind)?.decode(noMetadata).shape;
}

function buildKind(kind: OwnKind, parts: Parts): JsonSchema {
  return {
    description: describedFields[kind]?.description,
    type: "object",
    properties: {
      apiVersion: { const: "kirikae.dev/v1alpha1" },
      kind: { const: kind },
      metadata: metadataSchema,
      spec: convert(specShape(kind), `${kind}.spec`, parts),
      status: {},
    },
    required: ["apiVersion", "kind", "metadata", "spec"],
    additionalProperties: false,
  };
}

const metadataSchema = {
  type: "object",
  properties: {
    name: {
      type: "string",
      pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
      maxLength: 253,
      description: "Unique within its kind and namespace.",
    },
    namespace: { type: "string", description: "default unless `-n` says another." },
  },
  required: ["name"],
} as const;

function convert(shape: Shape | undefined, path: string, parts: Parts): JsonSchema {
  const { description, ...facts } = factsAt(path);
  const said = description === undefined ? {} : { description };
  switch (shape?.kind) {
    case "object":
      return { ...said, ...convertObject(shape, path, parts), ...facts };
    case "list":
      return { ...said, type: "array", items: convert(shape.item, `${path}[]`, parts), ...facts };
    case "map":
      return { ...said, type: "object", additionalProperties: convert(shape.item, `${path}.*`, parts), ...facts };
    case "enum":
      return { ...said, type: "string", enum: shape.values, ...facts };
    case "either":
      // Facts are about each of the forms that they fit: JSON Schema reads `minimum` for numbers alone, and so on.
      return { ...said, anyOf: shape.shapes.map((each) => without(convert(each, path, parts), "description")) };
    case "scalar":
      return { ...said, ...scalars[shape.type], ...facts };
    case undefined:
      return { ...said, ...facts };
  }
}

/** Go's notation: `1h30m`, `250ms`. */
export const durationPattern = "^[-+]?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$|^0$";

const scalars: Readonly<Record<ScalarType, JsonSchema>> = {
  string: { type: "string" },
  integer: { type: "integer" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  duration: { type: "string", pattern: durationPattern, examples: ["30s", "10m", "1h30m"] },
};

function convertObject(shape: ObjectShape, path: string, parts: Parts): JsonSchema {
  const name = parts.names.get(shape);
  if (name === undefined) return writeObject(shape, path, parts);
  if (!parts.made.has(name)) {
    // Named before it is written, should it ever hold itself.
    parts.made.set(name, {});
    parts.made.set(name, writeObject(shape, path, parts));
  }
  return { $ref: `#/$defs/${name}` };
}

function writeObject(shape: ObjectShape, path: string, parts: Parts): JsonSchema {
  const fields = Object.entries(shape.fields).filter(([, field]) => field.support === "supported");
  const required = fields.filter(([, field]) => isRequired(field)).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(
      fields.map(([name, field]) => [name, convert(field.shape, `${path}.${name}`, parts)]),
    ),
    ...(required.length === 0 ? {} : { required }),
    ...(shape.isOpen ? {} : { additionalProperties: false }),
  };
}

function isRequired(field: FieldShape): boolean {
  return field.support === "supported" && field.isRequired;
}

function collectPaths(shape: Shape | undefined, path: string, paths: string[]): void {
  paths.push(path);
  if (shape === undefined) return;
  for (const [child, childPath] of childrenOf(shape, path)) collectPaths(child, childPath, paths);
}

/** The longest end of the path that is described: `check.duration` holds wherever a check stands. */
export function factsAt(path: string): FieldFacts {
  return longestEnd(describedFields, path) ?? {};
}

/** What a table says of the longest end of a path that is in it. */
export function longestEnd<T>(table: Readonly<Record<string, T | undefined>>, path: string): T | undefined {
  const steps = path.split(".");
  for (let from = 0; from < steps.length; from += 1) {
    const found = table[steps.slice(from).join(".")];
    if (found !== undefined) return found;
  }
  return undefined;
}

function without(schema: JsonSchema, name: string): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== name));
}
