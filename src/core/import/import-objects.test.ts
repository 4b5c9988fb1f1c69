import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { importObjects, type ImportedTool } from "./import-objects.ts";

const folder = fileURLToPath(new URL("../../../testdata/import/", import.meta.url));
const options = { defaultNamespace: "default" };

interface Case {
  readonly name: string;
  readonly tool: ImportedTool;
  readonly documents: readonly unknown[];
}

const corpus: readonly Case[] = readdirSync(folder)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((name) => ({
    name,
    tool: name.startsWith("argo-") ? "argo-rollout" : "flagger-canary",
    documents: parseAllDocuments(readFileSync(`${folder}${name}`, "utf8")).map((document): unknown => document.toJS()),
  }));

function importDocuments(tool: ImportedTool, documents: readonly unknown[]) {
  const text = documents.map((document) => stringify(document, { aliasDuplicateObjects: false })).join("---\n");
  return importObjects(tool, [{ path: "in.yaml", text }], options);
}

/** Every mapping and list within a value, by its path. */
function* placesIn(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (typeof value !== "object" || value === null) return;
  yield path;
  for (const [key, inner] of Object.entries(value)) {
    yield* placesIn(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/** The same with something else at a place; lists get one more item, mappings one more field. */
function withChild(
  value: unknown,
  [step, ...rest]: readonly (string | number)[],
  child: readonly [string, unknown],
): unknown {
  if (Array.isArray(value)) {
    if (step === undefined) return [...value, child[1]];
    return value.map((item: unknown, index) => (index === step ? withChild(item, rest, child) : item));
  }
  if (typeof value !== "object" || value === null) return value;
  if (step === undefined) return { ...value, [child[0]]: child[1] };
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === step ? withChild(inner, rest, child) : inner]),
  );
}

const stranger = "zzStranger";

/** Fields without an equal, of which one note tells for everything within. */
const noted: readonly string[] = [
  ".experiment.",
  ".plugin.config",
  ".plugins[",
  ".provider.job.",
  ".provider.datadog",
  ".tcpRoutes[",
  ".secretKeyRef",
  "spec.service.mirror",
];

describe.each(corpus)("$name", ({ tool, documents }) => {
  test("a field that nobody knows is never dropped silently, wherever it stands", { timeout: 60_000 }, () => {
    const kinds = new Set(["Rollout", "Canary", "AnalysisTemplate", "MetricTemplate"]);
    const silent: string[] = [];
    for (const [index, document] of documents.entries()) {
      if (!kinds.has(kindOf(document))) continue;
      for (const place of placesIn(document)) {
        if (place[0] === "metadata" || place.length === 0) continue;
        const changed = withChild(document, place, [stranger, "stranger-value"]);
        const { releases, text } = importDocuments(tool, documents.with(index, changed));
        const told = releases.flatMap((one) => one.notes.map((note) => note.path));
        const leftOut = releases.flatMap((one) => one.leftOut.flatMap(({ paths }) => paths));
        const list = valueAt(document, place);
        const path = pathOf(Array.isArray(list) ? [...place, list.length] : place);
        const unknown = releases.flatMap((one) =>
          one.notes.filter(({ message }) => message.startsWith("It is no field")),
        );
        const isTold =
          told.some((each) => each.includes(stranger) || each === path) ||
          unknown.some((note) => isWithin(path, note.path));
        const isLeftOut = leftOut.some((each) => isWithin(path, each)) || noted.some((each) => path.includes(each));
        // What is copied whole is in the output itself.
        if (!isTold && !isLeftOut && !text.includes("stranger-value")) silent.push(path);
      }
    }
    expect(silent).toEqual([]);
  });
});

function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}.`) || path.startsWith(`${above}[`);
}

function valueAt(value: unknown, place: readonly (string | number)[]): unknown {
  return place.reduce<unknown>(
    (at, step) => (typeof at === "object" && at !== null ? new Map(Object.entries(at)).get(String(step)) : undefined),
    value,
  );
}

function kindOf(document: unknown): string {
  return typeof document === "object" && document !== null && "kind" in document ? String(document.kind) : "";
}

function pathOf(place: readonly (string | number)[]): string {
  return place
    .map((step) =>
      typeof step === "number"
        ? `[${step}]`
        : /^[A-Za-z_][\w-]*$/u.test(step)
          ? `.${step}`
          : `[${JSON.stringify(step)}]`,
    )
    .join("")
    .replace(/^\./u, "");
}

const oddValues = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    "yes",
    "{{args.x}}",
    -1,
    0,
    1e308,
    101,
    true,
    [],
    {},
    [null],
    { a: { b: [1] } },
    "10m",
    "x".repeat(300),
  ),
  fc.string(),
  fc.jsonValue({ maxDepth: 3 }),
);

function replaced(value: unknown, [step, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (step === undefined) return by;
  if (Array.isArray(value)) return value.map((item: unknown, at) => (at === step ? replaced(item, rest, by) : item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === step ? replaced(inner, rest, by) : inner]),
  );
}

test(
  "whatever stands in an object, it is imported without an exception to YAML that is read again",
  { timeout: 60_000 },
  () => {
    const leaves = (
      value: unknown,
      path: readonly (string | number)[] = [],
    ): readonly (readonly (string | number)[])[] =>
      typeof value === "object" && value !== null
        ? [
            path,
            ...Object.entries(value).flatMap(([key, inner]) =>
              leaves(inner, [...path, Array.isArray(value) ? Number(key) : key]),
            ),
          ]
        : [path];
    const change = fc.tuple(fc.nat(), oddValues);
    fc.assert(
      fc.property(
        fc.constantFrom(...corpus),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        ({ tool, documents }, changes) => {
          let changed = documents;
          for (const [draw, value] of changes) {
            const index = draw % changed.length;
            const places = leaves(changed[index]);
            changed = changed.with(index, replaced(changed[index], places[draw % places.length] ?? [], value));
          }
          const { text, releases } = importDocuments(tool, changed);
          const { diagnostics } = parseManifests([{ path: "out.yaml", text }], options);
          expect(diagnostics.filter(({ code }) => code === "KIR1001" || code === "KIR1002")).toEqual([]);
          for (const { notes } of releases)
            for (const { path, at } of notes) expect([path, at.line > 0]).toEqual([path, true]);
        },
      ),
      { numRuns: 150 },
    );
  },
);

function rollout(spec: string): string {
  return `apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec:\n${spec}`;
}

function run(text: string) {
  return importObjects("argo-rollout", [{ path: "in.yaml", text }], options);
}

describe("hostile texts", () => {
  test("a text that is no YAML is a problem with its place", () => {
    expect(run("a: [").problems[0]?.at).toMatchObject({ file: "in.yaml", line: 1 });
  });

  test("a bomb of aliases is a problem and takes no time", () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let level = 0; level < 12; level += 1) {
      const [from, to] = [String.fromCodePoint(97 + level), String.fromCodePoint(98 + level)];
      bomb.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(", ")}]`);
    }
    expect(run(rollout(bomb.map((line) => `  ${line}`).join("\n"))).problems).not.toEqual([]);
  });

  test("ten thousand steps are read, and notes are cut at a bound that is told", () => {
    const steps = Array.from({ length: 10_000 }, () => "      - { setWeight: 5, unknownStep: 1 }").join("\n");
    const { releases } = run(rollout(`  strategy:\n    canary:\n      steps:\n${steps}`));
    expect(releases[0]?.notes.length).toBeLessThan(600);
    expect(releases[0]?.notes.at(-1)?.message).toMatch(/more fields have no equal/u);
  });

  test("a name with a line break stays within its comment", () => {
    const { text } = run(rollout('  "zz\\nkind: Secret": 1'));
    expect(text).not.toMatch(/^kind: Secret/mu);
    expect(text).toContain("# ");
  });

  test("no secret is copied", () => {
    for (const { name, tool, documents } of corpus) {
      const { text } = importDocuments(tool, documents);
      expect([name, /not-a-real-/u.test(text)]).toEqual([name, false]);
    }
  });

  test("an object without anything still becomes something that says what is missing", () => {
    const { releases, text } = run("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\n");
    expect(releases[0]?.notes.length).toBeGreaterThan(0);
    expect(text).toContain("kind: Release");
  });
});
