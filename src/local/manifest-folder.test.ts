import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { fingerprintManifests, readAllManifests, readLimits, readManifests } from "./manifest-folder.ts";

async function lay(folder: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

describe("reading", () => {
  it.runIf(process.platform !== "win32")("refuses what is no file, which might never end", async () => {
    await expect(readManifests("/dev/null")).rejects.toMatchObject({ code: "KIR5013", exitStatus: 2 });
  });

  it("takes YAML and JSON of all folders in the order of their names, and nothing else", async () => {
    await using temp = await temporaryFolder();
    await lay(temp.path, {
      "b.yaml": "b",
      "a/z.yml": "z",
      "a/a.JSON": "j",
      "c.txt": "no",
      ".git/x.yaml": "no",
      ".hidden.yaml": "no",
      "node_modules/m/x.yaml": "no",
    });
    const found = await readManifests(temp.path);
    expect(found.sources.map((source) => [relative(temp.path, source.path), source.text])).toEqual([
      ["a/a.JSON", "j"],
      ["a/z.yml", "z"],
      ["b.yaml", "b"],
    ]);
    expect(found.diagnostics).toEqual([]);
    expect(found.folders.map((folder) => relative(temp.path, folder))).toEqual(["", "a"]);
  });

  it("shows paths as they were asked for", async () => {
    await using temp = await temporaryFolder();
    await lay(temp.path, { "a.yaml": "x" });
    const asked = relative(process.cwd(), temp.path);
    expect((await readManifests(asked)).sources[0]?.path).toBe(join(asked, "a.yaml"));
  });

  it("reads one file whatever its name, and standard input", async () => {
    await using temp = await temporaryFolder();
    await lay(temp.path, { "mesh.conf": "\u{feff}kind: X" });
    expect((await readManifests(join(temp.path, "mesh.conf"))).sources).toMatchObject([{ text: "kind: X" }]);
    const input = Readable.from([Buffer.from("kind"), ": Y"]);
    expect((await readManifests("-", { input })).sources).toEqual([{ path: "<stdin>", text: "kind: Y" }]);
  });

  it("walks links once, circles too", async () => {
    await using temp = await temporaryFolder();
    await lay(temp.path, { "a/one.yaml": "1" });
    await symlink(temp.path, join(temp.path, "a", "up"));
    await symlink(join(temp.path, "a"), join(temp.path, "b"));
    await symlink(join(temp.path, "a", "one.yaml"), join(temp.path, "c.yaml"));
    await symlink("nowhere", join(temp.path, "broken"));
    expect((await readManifests(temp.path)).sources.map((source) => relative(temp.path, source.path))).toEqual([
      "a/one.yaml",
    ]);
  });

  it("keeps to its limits and says what it left out", async () => {
    await using temp = await temporaryFolder();
    await lay(temp.path, {
      "a.yaml": "x".repeat(50),
      "b.yaml": "y".repeat(101),
      "c.yaml": "z".repeat(50),
      "d.yaml": "w",
    });
    const limits = { ...readLimits, maxFileBytes: 100 };
    const found = await readManifests(temp.path, { limits });
    expect(found.sources).toHaveLength(3);
    expect(found.diagnostics).toMatchObject([{ code: "KIR1002", at: { file: join(temp.path, "b.yaml"), line: 1 } }]);
    const total = await readManifests(temp.path, { limits: { ...limits, maxTotalBytes: 60 } });
    expect(total.sources).toHaveLength(1);
    expect(total.diagnostics.map((finding) => finding.code)).toEqual(["KIR1002", "KIR1002"]);
    const count = await readManifests(temp.path, { limits: { ...limits, maxFiles: 1 } });
    expect(count.sources).toHaveLength(1);
    const input = Readable.from([Buffer.alloc(101)]);
    expect((await readManifests("-", { limits, input })).diagnostics).toMatchObject([{ code: "KIR1002" }]);
  });

  it("does not guess at bytes that are not UTF-8", async () => {
    await using temp = await temporaryFolder();
    await lay(temp.path, { "a.yaml": Uint8Array.of(0x6b, 0xff, 0xfe) });
    expect(await readManifests(temp.path)).toMatchObject({ sources: [], diagnostics: [{ code: "KIR1001" }] });
  });

  it("says that a path is not there, or a link leads nowhere", async () => {
    await using temp = await temporaryFolder();
    const absent = join(temp.path, "absent");
    await expect(readManifests(absent)).rejects.toMatchObject({
      code: "KIR5013",
      exitStatus: 2,
      message: `${absent} does not exist.`,
    });
    await symlink("nowhere", join(temp.path, "a.yaml"));
    await expect(readManifests(temp.path)).rejects.toMatchObject({ code: "KIR5013" });
  });

  it("reads several paths once each, and what cannot be read is a finding where that is asked for", async () => {
    await using temp = await temporaryFolder();
    await lay(temp.path, { "a/one.yaml": "1", "b/two.yaml": "2" });
    await symlink("nowhere", join(temp.path, "a", "gone.yaml"));
    await symlink("circle.yaml", join(temp.path, "a", "circle.yaml"));
    const targets = [join(temp.path, "b", "two.yaml"), temp.path, join(temp.path, "b"), "-", "-"];
    const input = Readable.from(["3"]);
    const found = await readAllManifests(targets, { unreadable: "report", input });
    expect(found.sources.map(({ text }) => text)).toEqual(["2", "1", "3"]);
    expect(found.diagnostics).toMatchObject([
      { code: "KIR1084", at: { file: join(temp.path, "a", "circle.yaml") } },
      { code: "KIR1084", message: `${join(temp.path, "a", "gone.yaml")} does not exist.` },
    ]);
    await expect(readAllManifests(targets, { input })).rejects.toMatchObject({ code: "KIR5013" });
    const named = join(temp.path, "a", "gone.yaml");
    await expect(readAllManifests([named], { unreadable: "report" })).rejects.toMatchObject({ code: "KIR5013" });
  });

  it.runIf(process.getuid?.() !== 0)("says that a file may not be read", async () => {
    await using temp = await temporaryFolder();
    await lay(temp.path, { "a.yaml": "x" });
    await chmod(join(temp.path, "a.yaml"), 0);
    await expect(readManifests(temp.path)).rejects.toMatchObject({ code: "KIR5013", message: /may not be read/ });
  });
});

it("has one hash for one content, and one fingerprint while nothing is touched", async () => {
  await using temp = await temporaryFolder();
  await lay(temp.path, { "a.yaml": "x", "b.yaml": "y" });
  const first = await readManifests(temp.path);
  const fingerprint = await fingerprintManifests(temp.path);
  expect(await fingerprintManifests(temp.path)).toBe(fingerprint);
  await lay(temp.path, { "a.yaml": "x" });
  expect((await readManifests(temp.path)).hash).toBe(first.hash);
  expect(await fingerprintManifests(temp.path)).not.toBe(fingerprint);
  await lay(temp.path, { "a.yaml": "xy", "b.yaml": "" });
  expect((await readManifests(temp.path)).hash).not.toBe(first.hash);
});
