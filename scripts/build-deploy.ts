import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderDeployFiles } from "./deploy/render-deploy-files.ts";

const folder = fileURLToPath(new URL("../deploy/", import.meta.url));

/**
 * Writes deploy/kirikae.yaml and the chart from one description of the installation. With `--check` it writes nothing and
 * fails where they are not what the code says.
 */
async function buildDeploy(mode: "write" | "check"): Promise<void> {
  const files = renderDeployFiles();
  const known = new Set(files.map(({ path }) => path));
  const stale: string[] = [];
  for (const { path, text } of files) {
    const current = await readFile(join(folder, path), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (current === text) continue;
    stale.push(path);
    if (mode === "check") continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  for (const name of await readdir(join(folder, "chart/kirikae/templates"))) {
    const path = `chart/kirikae/templates/${name}`;
    if (known.has(path)) continue;
    stale.push(path);
    if (mode === "write") await rm(join(folder, path));
  }
  if (stale.length === 0) return;
  if (mode === "write") {
    process.stdout.write(`written: ${stale.join(", ")}\n`);
    return;
  }
  process.stderr.write(
    `stale in deploy/: ${stale.join(", ")}\n  Run \`npm run deploy:build\` and commit what it writes.\n`,
  );
  process.exitCode = 1;
}

await buildDeploy(process.argv.includes("--check") ? "check" : "write");
