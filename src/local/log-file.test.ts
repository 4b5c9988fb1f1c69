import { closeSync, writeSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { openLogFile, readLogTail, rotateLogFile } from "./log-file.ts";

it("rotates under a writer that keeps its descriptor", async () => {
  await using temp = await temporaryFolder();
  const path = join(temp.path, "a.log");
  const fd = openLogFile(path);
  writeSync(fd, "first line\n");
  expect(await rotateLogFile(path, 100)).toBe(false);
  expect(await rotateLogFile(path, 5)).toBe(true);
  writeSync(fd, "second\n");
  closeSync(fd);
  expect(await readFile(path, "utf8")).toBe("second\n");
  expect(await readFile(`${path}.1`, "utf8")).toBe("first line\n");
  expect((await stat(`${path}.1`)).mode & 0o777).toBe(0o600);
});

it("reads the end of a log, also of one that is not there", async () => {
  await using temp = await temporaryFolder();
  const path = join(temp.path, "a.log");
  expect(await readLogTail(path, { lines: 2 })).toEqual([]);
  expect(await rotateLogFile(path)).toBe(false);
  await writeFile(path, `${"x".repeat(100_000)}\none\n\ntwo\nthree\n`);
  expect(await readLogTail(path, { lines: 2 })).toEqual(["two", "three"]);
});
