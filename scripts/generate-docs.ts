import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildSchema } from "../src/core/manifest/schema/build-schema.ts";
import { renderApiDocs } from "./docs/render-api-docs.ts";
import { renderCliDocs } from "./docs/render-cli-docs.ts";
import { renderDifferencesDocs } from "./docs/render-differences-docs.ts";
import { renderDiagnosticsDocs } from "./docs/render-diagnostics-docs.ts";
import { renderSupportDocs } from "./docs/render-support-docs.ts";

/**
 * Writes the reference pages from the code's own tables: the command tree, the catalogues of codes, the fields that
 * manifests may have, the differences from Istio, and the API's schemas. With `--check` it writes nothing and fails when
 * a page is not what the code says.
 */
async function generateDocs(mode: "write" | "check"): Promise<void> {
  const pages = [
    { file: "docs/cli.md", text: renderCliDocs() },
    { file: "docs/diagnostics.md", text: renderDiagnosticsDocs() },
    { file: "docs/istio-support.md", text: renderSupportDocs() },
    { file: "docs/istio-differences.md", text: renderDifferencesDocs() },
    { file: "docs/schema/release.json", text: `${JSON.stringify(buildSchema(), undefined, 2)}\n` },
    { file: "docs/api.md", text: await renderApiDocs() },
  ];
  const stale: string[] = [];
  for (const { file, text } of pages) {
    const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
    const current = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    if (current === text) continue;
    stale.push(file);
    if (mode === "write") await writeFile(path, text);
  }
  if (stale.length === 0) return;
  process.stdout.write(mode === "write" ? `written: ${stale.join(", ")}\n` : "");
  if (mode === "write") return;
  process.stderr.write(`stale: ${stale.join(", ")}\n  Run \`npm run docs\` and commit what it writes.\n`);
  process.exitCode = 1;
}

await generateDocs(process.argv.includes("--check") ? "check" : "write");
