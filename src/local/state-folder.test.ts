import { chmod, chown, lstat, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { locateStateFolder, openStateFolder, writePrivateFile } from "./state-folder.ts";

describe("where it is", () => {
  it("is named by KIRIKAE_STATE first", () => {
    expect(locateStateFolder({ KIRIKAE_STATE: "/a/b", XDG_STATE_HOME: "/x", HOME: "/h" }).path).toBe("/a/b");
  });

  it("follows XDG, and ignores a relative XDG path as the specification says", () => {
    expect(locateStateFolder({ XDG_STATE_HOME: "/x", HOME: "/h" }).path).toBe("/x/kirikae");
    expect(locateStateFolder({ XDG_STATE_HOME: "x", HOME: "/h" }).path).toBe("/h/.local/state/kirikae");
    expect(locateStateFolder({ KIRIKAE_STATE: "", HOME: "/h" }).path).toBe("/h/.local/state/kirikae");
  });
});

describe("opening it", () => {
  it("makes it for its owner only, with everything above", async () => {
    await using temp = await temporaryFolder();
    const state = await openStateFolder({ KIRIKAE_STATE: join(temp.path, "deep", "state") });
    for (const folder of [state.path, state.logs]) expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it("closes an empty folder, and its own after somebody opened it", async () => {
    await using temp = await temporaryFolder();
    const path = join(temp.path, "state");
    await mkdir(path);
    await chmod(path, 0o755);
    await openStateFolder({ KIRIKAE_STATE: path });
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    await chmod(path, 0o777);
    await openStateFolder({ KIRIKAE_STATE: path });
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it("refuses an open folder with other files, and leaves its mode alone", async () => {
    await using temp = await temporaryFolder();
    await writeFile(join(temp.path, "thesis.txt"), "");
    await chmod(temp.path, 0o755);
    await expect(openStateFolder({ KIRIKAE_STATE: temp.path })).rejects.toMatchObject({
      code: "KIR5002",
      exitStatus: 3,
      hint: expect.stringContaining("chmod 700"),
    });
    expect((await stat(temp.path)).mode & 0o777).toBe(0o755);
    expect(await readdir(temp.path)).toEqual(["thesis.txt"]);
  });

  it.runIf(process.getuid?.() !== 0)("refuses a folder of another user", async () => {
    await expect(openStateFolder({ KIRIKAE_STATE: "/" })).rejects.toMatchObject({ code: "KIR5002" });
  });

  it.runIf(process.getuid?.() === 0)("refuses a folder of another user, also for root", async () => {
    await using temp = await temporaryFolder();
    await chown(temp.path, 65_534, 65_534);
    await expect(openStateFolder({ KIRIKAE_STATE: temp.path })).rejects.toThrow(/belongs to another user/);
  });

  it.runIf(process.platform === "linux")("refuses a place where no folder can be made", async () => {
    const opening = openStateFolder({ KIRIKAE_STATE: "/proc/kirikae/state" });
    await expect(opening).rejects.toMatchObject({ code: "KIR5002", exitStatus: 3 });
  });

  it("refuses a file, and one that a newer kirikae wrote", async () => {
    await using temp = await temporaryFolder();
    const file = join(temp.path, "file");
    await writeFile(file, "");
    await expect(openStateFolder({ KIRIKAE_STATE: file })).rejects.toMatchObject({ code: "KIR5002" });
    const state = await openStateFolder({ KIRIKAE_STATE: join(temp.path, "state") });
    await writeFile(join(state.path, "kirikae-state"), "2\n");
    await expect(openStateFolder({ KIRIKAE_STATE: state.path })).rejects.toThrow(/newer kirikae/);
  });

  it("writes private files whole", async () => {
    await using temp = await temporaryFolder();
    const path = join(temp.path, "token");
    await writePrivateFile(path, "one");
    await writePrivateFile(path, "two");
    expect(await readFile(path, "utf8")).toBe("two");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(temp.path)).toEqual(["token"]);
  });
});

describe("sockets", () => {
  it("live in the state folder where its path is short", async () => {
    await using temp = await temporaryFolder();
    const state = await openStateFolder({ KIRIKAE_STATE: join(temp.path, "s") });
    expect(state.socket("admin.sock")).toBe(join(temp.path, "s", "sockets", "admin.sock"));
    expect(() => state.socket("../admin.sock")).toThrow(RangeError);
  });

  it("can be listened on under a path of any length, and the same place is found again", async () => {
    await using temp = await temporaryFolder();
    const env = { KIRIKAE_STATE: join(temp.path, "x".repeat(120)) };
    const state = await openStateFolder(env);
    const path = state.socket("twenty-four-bytes.socket");
    removeAfterTest(path);
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
    expect((await lstat(join(path, ".."))).mode & 0o777).toBe(0o700);
    await listenAndClose(path);
    expect((await openStateFolder(env)).socket("a")).toBe(state.socket("a"));
    const other = await openStateFolder({ KIRIKAE_STATE: join(temp.path, "y".repeat(120)) });
    removeAfterTest(other.socket("a"));
    expect(other.socket("a")).not.toBe(state.socket("a"));
  });

  it("do not follow a link that lies where their folder would be", async () => {
    await using temp = await temporaryFolder();
    const env = { KIRIKAE_STATE: join(temp.path, "z".repeat(120)) };
    const first = join((await openStateFolder(env)).socket("a"), "..");
    await using again = await temporaryFolder();
    const target = join(again.path, "t");
    await mkdir(target, { mode: 0o700 });
    await rm(first, { recursive: true });
    await symlink(target, first);
    const second = join((await openStateFolder(env)).socket("a"), "..");
    expect(second).not.toBe(first);
    await rm(first);
    await rm(second, { recursive: true });
  });
});

/** Such sockets lie outside of the temporary folder of the test. */
function removeAfterTest(socket: string): void {
  onTestFinished(() => rm(dirname(socket), { recursive: true, force: true }));
}

function listenAndClose(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(path, () => server.close(() => resolve()));
  });
}
