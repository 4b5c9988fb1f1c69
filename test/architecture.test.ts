import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { brokenFences, impurities } from "./architecture/check-fences.ts";
import { fences, nouns, purity, size } from "./architecture/fences.ts";
import { readFolders, readImports, readSourceFiles, type SourceFile } from "./architecture/source-file.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = readSourceFiles(`${root}src`, [".ts"]);
// Tests may reach further than what they test: a target's test needs an engine, an emitter's test a parser.
const products = sources.filter((file) => !file.path.endsWith(".test.ts"));

test("no file imports what its folder's fence keeps out", () => {
  expect(products.flatMap(brokenFences)).toEqual([]);
});

test("core depends on its arguments alone", () => {
  const core = products.filter((file) => file.path.startsWith("core/"));
  expect(core.length).toBeGreaterThan(10);
  expect(core.flatMap(impurities)).toEqual([]);
});

test("every relative import names a file that is there, by its ending", () => {
  const known = new Set(sources.map((file) => file.path));
  const lost = products.flatMap((file) =>
    readImports(file)
      .filter(({ resolved }) => resolved !== undefined && !resolved.startsWith("gen/") && !known.has(resolved))
      // JSON, the package's own version among it, is data and has no fence.
      .filter(({ specifier }) => !specifier.endsWith(".json"))
      .map(({ specifier, line }) => `src/${file.path}:${line} imports ${specifier}`),
  );
  expect(lost).toEqual([]);
});

test("a helper lives with the noun it serves", () => {
  const forbidden = /(?:^|\/)(?:utils?|helpers?|common|misc|shared|lib)$/;
  expect(
    readFolders(root)
      .filter((folder) => forbidden.test(folder))
      .map((folder) => `${folder}: ${nouns}`),
  ).toEqual([]);
});

test("files stay short enough to be read", () => {
  const ours = ["src", "test", "bench", "scripts", "examples"].flatMap((folder) =>
    readSourceFiles(`${root}${folder}`, [".ts", ".js", ".vue"]).map((file) => ({
      ...file,
      path: `${folder}/${file.path}`,
    })),
  );
  const long = ours.filter((file) => file.lines > 500).map((file) => `${file.path} has ${file.lines} lines. ${size}`);
  expect(long).toEqual([]);
});

test("ARCHITECTURE.md says every sentence that a fence enforces", () => {
  const architecture = readFileSync(`${root}ARCHITECTURE.md`, "utf8").replaceAll(/\s+/g, " ");
  const sentences = [...new Set(fences.map((fence) => fence.sentence)), purity, nouns, size];
  expect(sentences.filter((sentence) => !architecture.includes(sentence))).toEqual([]);
});

describe("the checks themselves", () => {
  test("a broken fence names the place, the import and the sentence", () => {
    const broken = brokenFences(
      file("engine/engine.ts", 'import { a } from "./a.ts";\nimport { x } from "../xds/server.ts";\n'),
    );
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(/^src\/engine\/engine\.ts:2 imports \.\.\/xds\/server\.ts\. `engine` runs plans/);
  });

  test.each([
    ["core/mesh/a.ts", 'import { readFileSync } from "node:fs";', purity],
    ["core/release/a.ts", 'export * from "../envoy/emit-envoy.ts";', "`core/release` decides"],
    ["api/a.ts", 'import type { R } from "../gen/envoy/x_pb.ts";', "Generated code in `gen`"],
    ["core/routes/route-table.ts", 'import type { M } from "../mesh/mesh.ts";', "name neither Istio nor Envoy"],
    ["local/a.ts", 'import { startApi } from "../api/server.ts";', "`local` owns processes"],
    ["local/a.ts", 'const a = await import("../engine/engine.ts");', "`local` owns processes"],
    [
      "targets/local-envoy/a.ts",
      'import {\n  run,\n  type R,\n} from "../../engine/engine.ts";',
      "`targets/local-envoy`",
    ],
    ["core/diagnostics/a.ts", 'import { parse } from "yaml";', "`core/diagnostics` imports nothing"],
    ["app.ts", 'import { main } from "./cli/main.ts";', "the only wiring"],
    ["app/a.ts", 'import type { S } from "./site/site-runtime.ts";', "What stands in `app/`"],
    ["app/local/a.ts", 'import { S } from "../site/site-runtime.ts";', "knows no cluster"],
    ["app/site/mesh/a.ts", 'import { w } from "../../local/bring-up.ts";', "`app/site/mesh`"],
    ["app/site/objects/a.ts", 'import { m } from "../mesh/site-mesh.ts";', "`app/site/objects`"],
    ["app/site/doctor/a.ts", 'import { s } from "../site-runtime.ts";', "`app/site/doctor`"],
    ["probes/a.ts", "export {};", "without a fence"],
  ])("%s may not say %s", (path, text, sentence) => {
    expect(brokenFences(file(path, text)).join("\n")).toContain(sentence);
  });

  test.each([
    ["targets/recording.ts", 'import type { Target } from "../engine/ports.ts";'],
    ["local/a.ts", 'import { type W, type R } from "../api/types.ts";'],
    [
      "core/envoy/a.ts",
      'import { create } from "@bufbuild/protobuf";\nimport { anyPack } from "@bufbuild/protobuf/wkt";',
    ],
    ["cli/commands/up.ts", '// import "../gen/x.ts"\nconst { up } = await import("../../app.ts");'],
    ["app/site/mesh/a.ts", 'import { p } from "../../plan-on-mesh.ts";\nimport { o } from "../objects/site-kinds.ts";'],
    ["app/site/a.ts", 'import { m } from "./mesh/site-mesh.ts";\nimport { r } from "../releases.ts";'],
    ["engine/a.ts", 'import { DatabaseSync } from "node:sqlite";'],
  ])("%s may say %s", (path, text) => {
    expect(brokenFences(file(path, text))).toEqual([]);
  });

  test("words in comments and texts are no impurities, the same words in code are", () => {
    expect(
      impurities(file("core/a.ts", '// await Date.now()\n/** setTimeout */ const a = "process.exit async";')),
    ).toEqual([]);
    expect(impurities(file("core/a.ts", "export async function a() { await b(Date.now()); }"))).toHaveLength(3);
  });
});

function file(path: string, text: string): SourceFile {
  return { path, text, lines: text.split("\n").length };
}
