import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { isRead, mutate, readOwnObjects, richObjects } from "../../../../test/own-objects.fixture.ts";
import { buildSchema, listSchemaPaths } from "./build-schema.ts";
import { describedFields } from "./field-facts.ts";

const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(
  buildSchema(),
);

const corpus = readOwnObjects();

test("there is something to hold it against", () => {
  const kinds = corpus.map(({ object }) => object["kind"]);
  expect(kinds.filter((kind) => kind === "Release").length).toBeGreaterThan(25);
  expect(kinds.filter((kind) => kind === "LocalWorkload").length).toBeGreaterThan(4);
});

test("every object that kirikae reads passes", () => {
  const refused = corpus
    .filter(({ object }) => isRead(object) && !validate(object))
    .map(({ from, object }) => {
      validate(object);
      return `${from}: ${JSON.stringify(validate.errors?.[0])}`;
    });
  expect(refused).toEqual([]);
});

test("documents of other kinds pass, because one file holds many", () => {
  expect(validate({ apiVersion: "v1", kind: "Service", metadata: { name: "a" }, spec: { anything: 1 } })).toBe(true);
});

describe("what it refuses, kirikae refuses too", () => {
  const rich = richObjects().map((object, index) => ({ name: `object ${index}`, object }));
  test.each(rich)("$name", { timeout: 60_000 }, ({ object }) => {
    expect([isRead(object), validate(object)]).toEqual([true, true]);
    let refused = 0;
    const wrong: unknown[] = [];
    for (const spec of mutate(object.spec)) {
      const changed = { ...object, spec };
      if (validate(changed)) continue;
      refused += 1;
      if (isRead(changed)) wrong.push([validate.errors?.[0]?.instancePath, spec]);
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(50);
  });
});

function endsOf(path: string): readonly string[] {
  const steps = path.split(".");
  return steps.map((_, from) => steps.slice(from).join("."));
}

test("every field is described, and nothing that is not there", () => {
  const paths = listSchemaPaths();
  expect(paths.filter((path) => !endsOf(path).some((end) => describedFields[end]?.description !== undefined))).toEqual(
    [],
  );
  const known = new Set(["Release", "LocalWorkload", ...paths.flatMap(endsOf)]);
  expect(Object.keys(describedFields).filter((key) => !known.has(key))).toEqual([]);
});
