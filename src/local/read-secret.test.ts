import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { readSecret } from "./read-secret.ts";

const folder = mkdtempSync(join(tmpdir(), "kirikae-secret-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

function fromFile(path: string): Promise<string> {
  return readSecret({ kind: "file", path }, { folder });
}

test("a file is found from the folder, and its last line feed is no part of the secret", async () => {
  writeFileSync(join(folder, "token"), "hunter2\r\n");
  expect(await fromFile("token")).toBe("hunter2");
  expect(await fromFile(join(folder, "token"))).toBe("hunter2");
});

test("a renewed secret counts the next time", async () => {
  writeFileSync(join(folder, "renewed"), "one");
  await fromFile("renewed");
  writeFileSync(join(folder, "renewed"), "two");
  expect(await fromFile("renewed")).toBe("two");
});

test("a variable is one of the environment of this process", async () => {
  vi.stubEnv("TOKEN_OF_TEST", "hunter2");
  expect(await readSecret({ kind: "environment", name: "TOKEN_OF_TEST" }, { folder })).toBe("hunter2");
});

test.each([
  ["missing", undefined, "cannot be opened"],
  ["empty", "\n", "is empty or not set"],
  ["lines", "hunter2\nhunter3", "more than one line"],
  ["large", "hunter2".repeat(10_000), "no file of at most 65536 bytes"],
])("a file that is %s is refused without its content", async (name, text, message) => {
  if (text !== undefined) writeFileSync(join(folder, name), text);
  const refused = await fromFile(name).catch((error: unknown) => String(error));
  expect(refused).toContain(message);
  expect(refused).toContain(name);
  expect(refused).not.toContain("hunter");
});

test("what is no file is not read, because a pipe never ends", async () => {
  await expect(fromFile("/dev/zero")).rejects.toThrow("no file of at most");
  execFileSync("mkfifo", [join(folder, "pipe")]);
  await expect(fromFile("pipe")).rejects.toThrow("no file of at most");
  await expect(fromFile(".")).rejects.toThrow("no file of at most");
  await expect(readSecret({ kind: "environment", name: "NOT_SET_OF_TEST" }, { folder })).rejects.toThrow("not set");
});
