import type { ObjectShape, ScalarType, Shape } from "../decode/decoder.ts";
import { durationPattern, factsAt, type JsonSchema, longestEnd, specShape } from "./build-schema.ts";
import { celRules } from "./cel-rules.ts";
import type { FieldFacts } from "./field-facts.ts";
import { releaseColumns, releaseStatusSchema } from "./release-status.ts";

/** The bounds that decoders do not have: the API server estimates by them what a rule may cost at the worst. */
const mostItems = 64;
const mostEntries = 64;
const longestText = 4096;

/** Shorter ones, where rules compare them. A name of an object has 253 characters at most. */
const shorterText: Readonly<Record<string, number | undefined>> = {
  "routes[].virtualService": 507,
  "routes[].route": 253,
  "judges[].name": 63,
  // The API server takes no longer names of field managers.
  "takeOver[]": 128,
  "contexts[]": 253,
  "subsets[].destinationRule": 507,
  "add[].name": 63,
  "remove[]": 63,
};

interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: JsonSchema;
}

/**
 * The CustomResourceDefinition of Release, made from what the decoder reads, as `buildSchema` is. It is structural:
 * a field with a short and a long form has no type there, so its forms are told apart by what only values of one type
 * can break.
 */
export function buildReleaseCrd(): CustomResourceDefinition {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "releases.kirikae.dev", labels: { "app.kubernetes.io/name": "kirikae" } },
    spec: {
      group: "kirikae.dev",
      scope: "Namespaced",
      names: {
        kind: "Release",
        listKind: "ReleaseList",
        plural: "releases",
        singular: "release",
        shortNames: ["rel"],
        categories: ["kirikae"],
      },
      conversion: { strategy: "None" },
      versions: [
        {
          name: "v1alpha1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: buildReleaseStructure() },
          subresources: { status: {} },
          additionalPrinterColumns: releaseColumns,
        },
      ],
    },
  };
}

function buildReleaseStructure(): JsonSchema {
  return {
    type: "object",
    description: factsAt("Release").description,
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      spec: convert(specShape("Release"), { path: "Release.spec", hasRules: true }),
      status: releaseStatusSchema,
    },
    required: ["spec"],
  };
}

interface Where {
  readonly path: string;
  /** Rules are typed from the top, so that there are none below a field without a type. */
  readonly hasRules: boolean;
}

function convert(shape: Shape | undefined, where: Where): JsonSchema {
  const { description, ...facts } = factsAt(where.path);
  const said = description === undefined ? {} : { description };
  switch (shape?.kind) {
    case "object":
    case "list":
    case "map":
      return {
        ...said,
        type: typeOf(shape),
        ...membersOf(shape, where),
        ...boundsOf(shape, facts),
        ...rulesAt(where),
      };
    case "enum":
    case "scalar":
      return { ...said, type: typeOf(shape), ...boundsOf(shape, facts), ...shorter(where.path) };
    case "either":
      return { ...said, ...convertEither(shape.shapes, where, facts) };
    case undefined:
      // The values of labels have a decoder of their own, which describes nothing.
      if (where.path.endsWith(".labels.*")) return { ...said, type: "string", maxLength: 63 };
      return { ...said, "x-kubernetes-preserve-unknown-fields": true };
  }
}

function rulesAt({ path, hasRules }: Where): JsonSchema {
  const rules = longestEnd(celRules, path) ?? [];
  if (rules.length === 0) return {};
  if (hasRules) return { "x-kubernetes-validations": rules.map(({ rule, message }) => ({ rule, message })) };
  return Object.assign({}, ...rules.map(({ otherwise }) => otherwise));
}

function shorter(path: string): JsonSchema {
  const maxLength = longestEnd(shorterText, path);
  return maxLength === undefined ? {} : { maxLength };
}

type TypedShape = Exclude<Shape, { kind: "either" }>;

function typeOf(shape: TypedShape): string {
  switch (shape.kind) {
    case "object":
    case "map":
      return "object";
    case "list":
      return "array";
    case "enum":
      return "string";
    case "scalar":
      return shape.type === "duration" ? "string" : shape.type;
  }
}

/** What is within a value: the part of a structural schema that may stand outside of `anyOf` only. */
function membersOf(shape: TypedShape, { path, hasRules }: Where): JsonSchema {
  switch (shape.kind) {
    case "object": {
      const fields = supportedFields(shape);
      const properties = fields.map(
        ([name, field]) => [name, convert(field.shape, { path: `${path}.${name}`, hasRules })] as const,
      );
      return fields.length === 0 ? {} : { properties: Object.fromEntries(properties) };
    }
    case "list":
      return { items: convert(shape.item, { path: `${path}[]`, hasRules }) };
    case "map":
      return { additionalProperties: convert(shape.item, { path: `${path}.*`, hasRules }) };
    case "enum":
    case "scalar":
      return {};
  }
}

/** What limits a value itself: the part that may stand within `anyOf`. */
function boundsOf(shape: TypedShape, facts: FieldFacts): JsonSchema {
  switch (shape.kind) {
    case "object": {
      const required = supportedFields(shape).flatMap(([name, field]) => (field.isRequired ? [name] : []));
      return { ...(required.length === 0 ? {} : { required }), ...pick(facts, ["minProperties", "maxProperties"]) };
    }
    case "map":
      return { maxProperties: mostEntries, ...pick(facts, ["minProperties"]) };
    case "list":
      return { maxItems: mostItems, ...pick(facts, ["minItems"]) };
    case "enum":
      return { enum: shape.values };
    case "scalar":
      return boundsOfScalar(shape.type, facts);
  }
}

function boundsOfScalar(type: ScalarType, facts: FieldFacts): JsonSchema {
  switch (type) {
    case "string":
      return { maxLength: longestText, ...pick(facts, ["minLength", "maxLength", "pattern"]) };
    case "duration":
      // As long as the decoder reads them.
      return { maxLength: 64, pattern: durationPattern };
    case "integer":
    case "number": {
      const { exclusiveMinimum, minimum = exclusiveMinimum, maximum } = facts;
      return {
        ...(minimum === undefined ? {} : { minimum }),
        // A flag in OpenAPI 3.0, which definitions are written in.
        ...(exclusiveMinimum === undefined ? {} : { exclusiveMinimum: true }),
        ...(maximum === undefined ? {} : { maximum }),
      };
    }
    case "boolean":
      return {};
  }
}

/**
 * A structural schema may name no type within `anyOf`, and none outside where values of several types are right. Each
 * keyword holds for values of one type and lets all others pass, so the negation of a bound that no value of a type
 * keeps is true for values of that type alone.
 */
function convertEither(shapes: readonly (Shape | undefined)[], { path }: Where, facts: FieldFacts): JsonSchema {
  const forms = shapes.flatMap((shape) => (shape === undefined || shape.kind === "either" ? [] : [shape]));
  return {
    "x-kubernetes-preserve-unknown-fields": true,
    ...Object.assign({}, ...forms.map((form) => membersOf(form, { path, hasRules: false }))),
    anyOf: forms.map((form) => ({ ...boundsOf(form, facts), not: boundThatNoneKeeps(typeOf(form)) })),
  };
}

function boundThatNoneKeeps(type: string): JsonSchema {
  switch (type) {
    case "object":
      return { minProperties: 1_000_000 };
    case "array":
      return { minItems: 1_000_000 };
    case "string":
      return { minLength: 10_000_000 };
    default:
      return { minimum: 1_000_000_000_000 };
  }
}

function supportedFields(shape: ObjectShape) {
  return Object.entries(shape.fields).flatMap(([name, field]) =>
    field.support === "supported" ? [[name, field] as const] : [],
  );
}

function pick<T extends object>(from: T, names: readonly (keyof T & string)[]): JsonSchema {
  const entries = names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]] as const]));
  return Object.fromEntries(entries);
}
