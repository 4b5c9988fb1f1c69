/** Whether two values of plain data say the same: objects, lists, maps, bytes and scalars. */
export function isDeepEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one)) return Array.isArray(other) && isListEqual(one, other);
  if (one instanceof Map) return other instanceof Map && isMapEqual(one, other);
  if (one instanceof Uint8Array) return other instanceof Uint8Array && isListEqual(one, other);
  // Anything else that is more than its fields would be taken for equal to another of its kind.
  if (!isRecord(one) || !isRecord(other)) return false;
  return isRecordEqual(one, other);
}

function isListEqual(one: ArrayLike<unknown>, other: ArrayLike<unknown>): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (!isDeepEqual(one[index], other[index])) return false;
  return true;
}

function isMapEqual(one: ReadonlyMap<unknown, unknown>, other: ReadonlyMap<unknown, unknown>): boolean {
  if (one.size !== other.size) return false;
  for (const [key, value] of one) if (!other.has(key) || !isDeepEqual(value, other.get(key))) return false;
  return true;
}

/** A field that is undefined is one that is not there. */
function isRecordEqual(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  for (const key of Object.keys(one)) if (!isDeepEqual(one[key], other[key])) return false;
  for (const key of Object.keys(other)) if (one[key] === undefined && other[key] !== undefined) return false;
  return true;
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
