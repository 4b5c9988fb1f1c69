import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import { unservedKinds } from "../src/core/manifest/kind-table.ts";
import { listSupport } from "../src/core/manifest/support/list-support.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** The schema is part of Istio's Go module, which the tests against istiod download; it is not copied into this repo. */
function findSchema(): string | undefined {
  const cache = process.env["GOMODCACHE"] ?? join(process.env["GOPATH"] ?? join(homedir(), "go"), "pkg", "mod");
  const modules = join(cache, "istio.io");
  const versions = existsSync(modules) ? readdirSync(modules).filter((name) => name.startsWith("istio@")) : [];
  return versions
    .toSorted()
    .toReversed()
    .map((version) => join(modules, version, "manifests/charts/base/files/crd-all.gen.yaml"))
    .find((path) => existsSync(path));
}

const schema = findSchema();
if (schema === undefined) {
  process.stderr.write(
    "SKIPPED: fields against Istio's schema, because the Go module istio.io/istio is not in the module cache. Run the tests against istiod first (see CONTRIBUTING.md).\n",
  );
}

test.skipIf(schema === undefined)(
  "the list of supported fields has every field of Istio's schema, and no other",
  () => {
    const definitions = readDefinitions(schema ?? "").filter(({ spec }) => spec.group === "networking.istio.io");
    const kinds = new Map(listSupport().map((kind) => [`${kind.group}/${kind.kind}`, kind]));
    expect(definitions.length).toBeGreaterThan(7);
    for (const { spec } of definitions) {
      const { kind } = spec.names;
      if (unservedKinds.has(kind)) continue;
      const listed = new Set(kinds.get(`${spec.group}/${kind}`)?.fields.map((field) => field.path));
      const root = spec.versions[0]?.schema.openAPIV3Schema.properties?.["spec"];
      const known = new Set(root === undefined ? [] : pathsOf(root, "spec"));
      expect({ kind, missing: [...known].filter((path) => !listed.has(path)) }).toEqual({ kind, missing: [] });
      expect({ kind, invented: [...listed].filter((path) => !known.has(path)) }).toEqual({ kind, invented: [] });
    }
  },
);

function readDefinitions(path: string): readonly Definition[] {
  return parseAllDocuments(readFileSync(path, "utf8"))
    .map((document) => document.toJS() as Definition | null)
    .filter((definition) => definition !== null);
}

function* pathsOf(value: Schema, path: string): Generator<string> {
  for (const [name, child] of Object.entries(value.properties ?? {})) {
    yield `${path}.${name}`;
    yield* pathsOf(child, `${path}.${name}`);
  }
  if (value.items !== undefined) {
    yield* pathsOf(value.items, `${path}[]`);
  }
  if (typeof value.additionalProperties === "object") {
    yield* pathsOf(value.additionalProperties, `${path}.*`);
  }
}
