/** Any object of JSON, as an API or a proxy gives it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** False for a list and for null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whatever is no object is an empty one. */
export function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Whatever is no list is an empty one. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An empty text counts as none. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * What a text of JSON lists in one of its fields. Whatever is of another form gives nothing, because pods answer as they
 * like.
 * @throws SyntaxError where it is no JSON
 */
export function readListed(text: string, field: string): readonly JsonObject[] {
  return asList(asObject(JSON.parse(text))[field]).map(asObject);
}

/** The object without some of its fields; the others keep their order. */
export function withoutFields(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));
}

/** As JSON with its fields in order: an API server gives them back in an order of its own, which says nothing. */
export function renderSorted(value: unknown): string {
  return JSON.stringify(value, (_field, inner: unknown) =>
    isJsonObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
