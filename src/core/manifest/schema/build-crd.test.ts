import { expect, test } from "vitest";
import { buildReleaseCrd } from "./build-crd.ts";
import { listSchemaPaths } from "./build-schema.ts";
import { celRules } from "./cel-rules.ts";

/** What a structural schema must not have anywhere (Kubernetes, "Specifying a structural schema"). */
const forbidden = ["$ref", "$defs", "definitions", "const", "examples", "if", "then", "patternProperties"];

/** Keywords whose values are schemas by name. */
const named = new Set(["properties"]);

function findKeywords(schema: unknown, found: Set<string>): void {
  if (Array.isArray(schema)) for (const each of schema) findKeywords(each, found);
  else if (typeof schema === "object" && schema !== null) {
    for (const [key, value] of Object.entries(schema)) {
      found.add(key);
      if (named.has(key)) for (const each of Object.values(value as object)) findKeywords(each, found);
      else findKeywords(value, found);
    }
  }
}

test("it has no keyword that the API server refuses", () => {
  const found = new Set<string>();
  findKeywords(buildReleaseCrd(), found);
  expect(forbidden.filter((each) => found.has(each))).toEqual([]);
  expect(JSON.stringify(buildReleaseCrd())).not.toContain('"additionalProperties":false');
});

test("each rule is about a field that there is", () => {
  const ends = new Set(
    listSchemaPaths().flatMap((path) => path.split(".").map((_, from, steps) => steps.slice(from).join("."))),
  );
  expect(Object.keys(celRules).filter((path) => !ends.has(path))).toEqual([]);
});

test("kubectl apply can write the whole of it into its annotation", () => {
  expect(JSON.stringify(buildReleaseCrd()).length).toBeLessThan(262_144 - 1024);
});

test("it agrees with the schema for editors on what has to be given", () => {
  const crd = JSON.stringify(buildReleaseCrd());
  expect(crd).toContain('"required":["routes","to","strategy"]');
  expect(crd).toContain('"additionalPrinterColumns":[{"name":"To"');
  expect(crd).toContain('"subresources":{"status":{}}');
});
