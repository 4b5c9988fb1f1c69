import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { catalogue } from "./catalogue.ts";
import { errorCodes } from "./error-codes.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const tables = new Set(["src/core/diagnostics/catalogue.ts", "src/core/diagnostics/error-codes.ts"]);

/** Every quoted code in the source, tests and the tables left out: a code in quotes is there to be given to a user. */
async function findUsedCodes(): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  for (const folder of ["src", "bin"]) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names) {
      const path = `${folder}/${name.replaceAll("\\", "/")}`;
      if (!/\.[jt]s$/u.test(path) || path.endsWith(".test.ts") || tables.has(path) || path.startsWith("src/gen/")) {
        continue;
      }
      const text = await readFile(join(root, path), "utf8");
      for (const [, code] of text.matchAll(/["'`](KIR\d{4})\b/gu)) if (code !== undefined) used.add(code);
    }
  }
  return used;
}

test("every code that the source gives is in a table, and every code of the errors' table is given", async () => {
  const used = await findUsedCodes();
  const known = new Set([...Object.keys(catalogue), ...Object.keys(errorCodes)]);
  expect([...used].filter((code) => !known.has(code))).toEqual([]);
  expect(Object.keys(errorCodes).filter((code) => !used.has(code))).toEqual([]);
});

test("a code is in one table only", () => {
  expect(Object.keys(errorCodes).filter((code) => Object.hasOwn(catalogue, code))).toEqual([]);
});
