import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { acquireLock, type LockOptions, readLockOwner } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "kirikae-lock-"));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true }));

let locks = 0;
function newLock(): LockOptions {
  locks += 1;
  return {
    lockFile: join(folder, `lock-${locks}.sqlite`),
    ownerFile: join(folder, `owner-${locks}.json`),
    owner: { pid: process.pid, since: "2026-01-01T00:00:00.000Z", folder: "shop" },
  };
}

/** Another process that takes the lock, says so, and holds it until it dies. */
async function holdElsewhere(options: LockOptions): Promise<ChildProcess> {
  const program = `import { acquireLock } from ${JSON.stringify(new URL("lock.ts", import.meta.url).href)};
    const options = ${JSON.stringify(options)};
    const lock = acquireLock({ ...options, owner: { ...options.owner, pid: process.pid, folder: "examples/blue-green" } });
    process.stdout.write("held");
    setInterval(() => lock, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

test("one process holds it, and the other is told who", async () => {
  const options = newLock();
  const child = await holdElsewhere(options);
  expect(() => acquireLock(options)).toThrow(
    expect.objectContaining({
      code: "KIR2022",
      exitStatus: 3,
      message: `Process ${child.pid}, running examples/blue-green since 2026-01-01T00:00:00.000Z, owns this state folder.`,
      details: { pid: child.pid, since: "2026-01-01T00:00:00.000Z", folder: "examples/blue-green" },
    }),
  );
  expect(readLockOwner(options.ownerFile)?.pid).toBe(child.pid);
});

test("is free again when its holder was killed", async () => {
  const options = newLock();
  const child = await holdElsewhere(options);
  child.kill("SIGKILL");
  await once(child, "exit");
  using lock = acquireLock(options);
  expect(lock).toBeDefined();
  expect(readLockOwner(options.ownerFile)).toEqual(options.owner);
});

test("is free again when it was given back", () => {
  const options = newLock();
  acquireLock(options)[Symbol.dispose]();
  using lock = acquireLock(options);
  expect(lock).toBeDefined();
  expect(() => acquireLock(options)).toThrow("owns this state folder");
});

test("is held even where nobody says who", () => {
  const options = newLock();
  using lock = acquireLock(options);
  expect(lock).toBeDefined();
  writeFileSync(options.ownerFile, '{"pid":');
  expect(() => acquireLock(options)).toThrow("Another process owns this state folder.");
  rmSync(options.ownerFile);
  expect(() => acquireLock(options)).toThrow("Another process owns this state folder.");
});

test("is still held after this process tried to take it again", async () => {
  const options = newLock();
  using lock = acquireLock(options);
  expect(lock).toBeDefined();
  expect(() => acquireLock(options)).toThrow(expect.objectContaining({ code: "KIR2022" }));
  const program = `import { acquireLock } from ${JSON.stringify(new URL("lock.ts", import.meta.url).href)};
    try { acquireLock(${JSON.stringify(options)}); process.stdout.write("taken"); }
    catch (error) { process.stdout.write(error.code); }`;
  expect(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" })).toBe("KIR2022");
});

test("two folders do not meet", () => {
  using one = acquireLock(newLock());
  using two = acquireLock(newLock());
  expect(one).not.toBe(two);
});

test("is closed to others", () => {
  const options = newLock();
  using lock = acquireLock(options);
  expect(lock).toBeDefined();
  for (const file of [options.lockFile, options.ownerFile]) expect(statSync(file).mode & 0o777).toBe(0o600);
});
