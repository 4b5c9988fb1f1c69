import type { FieldShape, Shape, ValueException } from "../decode/decoder.ts";
import { type KindReader, kindReaders } from "../kind-table.ts";
import type { ObjectMeta } from "../manifest.ts";

/** A kind that is read, with its fields, as far as this kind of object is about routing. */
export interface KindSupport {
  readonly kind: string;
  /** Empty for Kubernetes' core group. */
  readonly group: string;
  readonly versions: readonly string[];
  /** True where other fields are mistakes; false where they are another program's affair. */
  readonly isClosed: boolean;
  readonly fields: readonly FieldSupport[];
}

/** What kirikae does with one field. */
export interface FieldSupport {
  /** As in `spec.http[].match[].headers.*.exact`: `[]` is any item of a list and `*` any key. */
  readonly path: string;
  readonly support: "supported" | "rejected" | "ignored";
  /** Why, without a full stop; undefined for what is supported. */
  readonly reason: string | undefined;
  readonly isRequired: boolean;
  /** The words that it takes, where it takes words of a list. */
  readonly values: readonly string[];
  /** Words that are valid and yet refused or without effect. */
  readonly exceptions: ReadonlyMap<string, ValueException>;
  /** The field above in this list whose fields these are too, so that a page need not repeat them. */
  readonly sameAs: string | undefined;
  /** The field above it that is refused or without effect, and this with it. */
  readonly within: string | undefined;
}

const noMetadata: ObjectMeta = {
  name: "",
  namespace: "",
  labels: {},
  annotations: {},
  creationTimestamp: undefined,
};

/** Every field of every kind, read off the decoders themselves, so that neither can differ from the other. */
export function listSupport(): readonly KindSupport[] {
  return kindReaders.map((reader) => ({
    kind: reader.kind,
    group: reader.group,
    versions: reader.versions,
    isClosed: reader.isStrict,
    fields: listFields(reader),
  }));
}

function listFields(reader: KindReader): readonly FieldSupport[] {
  const fields: FieldSupport[] = [];
  const path = reader.from === "document" ? "" : "spec";
  addChildren(reader.decode(noMetadata).shape, { path, fields, known: new Map(), above: undefined });
  return fields;
}

interface Listing {
  readonly path: string;
  readonly fields: FieldSupport[];
  /** Where a shape was listed first. */
  readonly known: Map<Shape, string>;
  readonly above: FieldSupport | undefined;
}

function addChildren(shape: Shape | undefined, listing: Listing): void {
  switch (shape?.kind) {
    case "object":
      for (const [name, field] of Object.entries(shape.fields)) {
        addField(field, { ...listing, path: listing.path === "" ? name : `${listing.path}.${name}` });
      }
      return;
    case "list":
      addChildren(shape.item, { ...listing, path: `${listing.path}[]` });
      return;
    case "map":
      addChildren(shape.item, { ...listing, path: `${listing.path}.*` });
      return;
    case "either":
      for (const each of shape.shapes) addChildren(each, listing);
      return;
    case "enum":
    case "scalar":
    case undefined:
      return;
  }
}

function addField(field: FieldShape, listing: Listing): void {
  const { path, fields, known, above } = listing;
  const shape = itemShape(field.shape);
  const listed: FieldSupport = {
    path,
    ...(above === undefined ? supportOf(field) : { support: above.support, reason: above.reason }),
    isRequired: field.support === "supported" && field.isRequired,
    ...valuesOf(shape),
    sameAs: shape === undefined ? undefined : known.get(shape),
    within: above?.path,
  };
  fields.push(listed);
  // What is below a field without effect is not listed, so nothing can be as there.
  if (shape?.kind === "object" && above === undefined && listed.support === "supported" && !known.has(shape)) {
    known.set(shape, path);
  }
  addChildren(field.shape, { ...listing, above: above ?? (listed.support === "supported" ? undefined : listed) });
}

function supportOf(field: FieldShape): Pick<FieldSupport, "support" | "reason"> {
  return { support: field.support, reason: field.support === "supported" ? undefined : field.reason };
}

function valuesOf(shape: Shape | undefined): Pick<FieldSupport, "values" | "exceptions"> {
  return shape?.kind === "enum"
    ? { values: shape.values, exceptions: shape.exceptions }
    : { values: [], exceptions: new Map() };
}

/** What the items of a list or a mapping are, or the value itself. */
function itemShape(shape: Shape | undefined): Shape | undefined {
  if (shape?.kind === "either") return shape.shapes.map(itemShape).find((each) => each?.kind === "object");
  return shape?.kind === "list" || shape?.kind === "map" ? itemShape(shape.item) : shape;
}
