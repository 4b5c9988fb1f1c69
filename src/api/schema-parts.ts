/** The parts that the API's JSON schemas are written with; each description goes into docs/api.md. */

export const text = (description: string) => ({ type: "string", description }) as const;
export const number = (description: string) => ({ type: "number", description }) as const;
export const flag = (description: string) => ({ type: "boolean", description }) as const;
export const weights = (description: string) =>
  ({ type: "object", additionalProperties: { type: "number" }, description }) as const;
export const list = <Item>(items: Item, description: string) => ({ type: "array", items, description }) as const;
export const nullable = (schema: object, description: string) =>
  ({ anyOf: [schema, { type: "null" }], description }) as const;
export const name = (description: string) => ({ type: "string", minLength: 1, maxLength: 253, description }) as const;

export const object = <Properties extends Readonly<Record<string, object>>>(
  properties: Properties,
  optional: readonly (keyof Properties & string)[] = [],
) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
});
