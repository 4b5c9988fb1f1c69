import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { parseManifests } from "../parse-manifests.ts";
import { type FieldSupport, listSupport } from "./list-support.ts";

/** Between them the documents here have every field that is not refused. */
const folder = new URL("../../../../testdata/support/", import.meta.url);
const texts = readdirSync(folder).map((path) => ({ path, text: readFileSync(new URL(path, folder), "utf8") }));

const networking = listSupport().filter((kind) => kind.group === "networking.istio.io");
const fields = networking.flatMap(({ kind, fields: all }) =>
  all.filter((field) => field.within === undefined).map((field) => ({ kind, field, name: `${kind} ${field.path}` })),
);

function parse(sources: readonly { readonly path: string; readonly text: string }[]): readonly Diagnostic[] {
  return parseManifests(sources, { defaultNamespace: "default" }).diagnostics;
}

test("every field that is not refused is accepted", () => {
  expect(parse(texts).filter((finding) => finding.level === "error")).toEqual([]);
});

describe("the documents that say so have every such field", () => {
  const documents = texts.flatMap(({ text }) => parseAllDocuments(text).map((document): unknown => document.toJS()));
  const used = new Set(
    documents.flatMap((document) => [...pathsOf(document, "")].map((path) => `${kindOf(document)} ${path}`)),
  );
  test.each(fields.filter(({ field }) => field.support !== "rejected").map(({ name }) => name))("%s", (name) => {
    expect([...used].some((path) => matches(path, name))).toBe(true);
  });
});

describe("a field that is not carried out gives its finding", () => {
  test.each(fields.filter(({ field }) => field.support !== "supported"))("$name", ({ kind, field }) => {
    const findings = parse([documentWith(kind, field, [])]);
    expect(findings.map(({ code, message }) => `${code} ${message}`)).toContainEqual(
      expect.stringContaining(`${codeOf(field.support)} "${concrete(field.path)}"`),
    );
  });
});

describe("a value that is not carried out gives its finding", () => {
  const values = fields.flatMap(({ kind, field, name }) =>
    [...field.exceptions].map(([value, { support }]) => ({ kind, field, value, support, name: `${name}: ${value}` })),
  );
  test.each(values)("$name", ({ kind, field, value, support }) => {
    const findings = parse([documentWith(kind, field, value)]);
    expect(findings.map(({ code, message }) => `${code} ${message}`)).toContainEqual(
      expect.stringContaining(`${codeOf(support)} "${concrete(field.path)}" is ${value}`),
    );
  });
});

test("a field that is not listed is a mistake", () => {
  for (const { kind } of networking) {
    const findings = parse([documentWith(kind, { path: "spec.nonsense" }, {})]);
    expect(findings.map((finding) => finding.code)).toContain("KIR1004");
  }
});

function codeOf(support: FieldSupport["support"]): string {
  return support === "rejected" ? "KIR1006" : "KIR1007";
}

/** The path of the first item or key. */
function concrete(path: string): string {
  return path.replaceAll("[]", "[0]").replaceAll(".*", ".key");
}

/** A document with a value at a path, and nothing else. */
function documentWith(
  kind: string,
  { path }: Pick<FieldSupport, "path">,
  value: unknown,
): { readonly path: string; readonly text: string } {
  const keys = path.replaceAll("[]", ".[]").split(".");
  const object = keys.reduceRight<unknown>((inner, key) => {
    if (key === "[]") return [inner];
    return { [key === "*" ? "key" : key]: inner };
  }, value);
  const apiVersion = kind === "ProxyConfig" ? "networking.istio.io/v1beta1" : "networking.istio.io/v1";
  const document = { apiVersion, kind, metadata: { name: "x" }, ...(object as object) };
  return { path: "x.yaml", text: JSON.stringify(document) };
}

function kindOf(document: unknown): string {
  return String((document as { readonly kind: unknown }).kind);
}

/** Every path of a document, with the numbers of items left out. */
function* pathsOf(value: unknown, path: string): Generator<string> {
  yield path;
  if (Array.isArray(value)) {
    for (const item of value) yield* pathsOf(item, `${path}[]`);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      yield* pathsOf(child, path === "" ? key : `${path}.${key}`);
    }
  }
}

/** `*` in the pattern is any one key, which may have dots in it. */
function matches(path: string, pattern: string): boolean {
  const escaped = pattern.replaceAll(/[.[\]]/g, String.raw`\$&`).replaceAll(String.raw`\.*`, String.raw`\.[^[]+?`);
  return new RegExp(`^${escaped}$`).test(path);
}
