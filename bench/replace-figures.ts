import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export type BenchScript = "bench:switch" | "bench:compile" | "bench:engine" | "bench:site";

/**
 * Puts a report between the two marks of its script in docs/performance.md; the text around them is written by hand.
 * @throws where the page has lost its marks
 */
export async function replaceFigures(script: BenchScript, report: string): Promise<void> {
  const file = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
  const begin = `<!-- figures begin: written by \`npm run ${script} -- --write\` -->`;
  const page = await readFile(file, "utf8");
  const from = page.indexOf(begin);
  const to = page.indexOf("<!-- figures end -->", from);
  if (from === -1 || to === -1) throw new Error(`docs/performance.md has lost the two marks of ${script}.`);
  await writeFile(file, `${page.slice(0, from)}${begin}\n\n${report}\n${page.slice(to)}`);
}
