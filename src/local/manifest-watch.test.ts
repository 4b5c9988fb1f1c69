import { mkdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { readManifests, type ManifestSet } from "./manifest-folder.ts";
import { watchManifests, type WatchOptions } from "./manifest-watch.ts";

async function watching(path: string, overrides: Partial<WatchOptions> = {}) {
  const changes: string[] = [];
  const errors: string[] = [];
  const watch = watchManifests(path, {
    known: await readManifests(path),
    onChange: (manifests: ManifestSet) => void changes.push(manifests.sources.map((source) => source.text).join("|")),
    onError: (error) => errors.push(error.message),
    settleMs: 20,
    pollMs: 60_000,
    ...overrides,
  });
  return { watch, changes, errors };
}

describe("watching", () => {
  it("sees a file written in place, saved by rename, added in a new folder and removed", async () => {
    await using temp = await temporaryFolder();
    const file = join(temp.path, "a.yaml");
    await writeFile(file, "1");
    const { watch, changes } = await watching(temp.path);
    await using _ = watch;
    await writeFile(file, "2");
    await expect.poll(() => changes.at(-1)).toBe("2");
    await writeFile(`${file}.tmp`, "3");
    await rename(`${file}.tmp`, file);
    await expect.poll(() => changes.at(-1)).toBe("3");
    await mkdir(join(temp.path, "b", "c"), { recursive: true });
    await writeFile(join(temp.path, "b", "c", "x.yaml"), "4");
    await expect.poll(() => changes.at(-1)).toBe("3|4");
    await writeFile(join(temp.path, "b", "c", "x.yaml"), "5");
    await expect.poll(() => changes.at(-1)).toBe("3|5");
    await rm(join(temp.path, "b"), { recursive: true });
    await expect.poll(() => changes.at(-1)).toBe("3");
  });

  it("counts several files as one change and a touched file as none", async () => {
    await using temp = await temporaryFolder();
    const files = ["a", "b", "c"].map((name) => join(temp.path, `${name}.yaml`));
    await Promise.all(files.map((file) => writeFile(file, "1")));
    const { watch, changes } = await watching(temp.path, { settleMs: 60 });
    await using _ = watch;
    await utimes(files[0] ?? "", new Date(), new Date());
    await Promise.all(files.map((file) => writeFile(file, "1")));
    for (const file of files) await writeFile(file, "2");
    await expect.poll(() => changes.at(-1)).toBe("2|2|2");
    expect(changes).toEqual(["2|2|2"]);
  });

  it("waits for an editor that cuts a file to nothing before it writes", async () => {
    await using temp = await temporaryFolder();
    const file = join(temp.path, "a.yaml");
    await writeFile(file, "1");
    const { watch, changes } = await watching(temp.path, { settleMs: 100 });
    await using _ = watch;
    await writeFile(file, "");
    await new Promise((resolve) => setTimeout(resolve, 150));
    await writeFile(file, "2");
    await expect.poll(() => changes.length).toBe(1);
    expect(changes).toEqual(["2"]);
  });

  it("lets one change finish before the next, and misses none meanwhile", async () => {
    await using temp = await temporaryFolder();
    const file = join(temp.path, "a.yaml");
    await writeFile(file, "1");
    const seen: string[] = [];
    let running = 0;
    const gate = Promise.withResolvers<void>();
    const { watch } = await watching(temp.path, {
      onChange: async (manifests) => {
        running += 1;
        expect(running).toBe(1);
        seen.push(manifests.sources[0]?.text ?? "");
        if (seen.length === 1) await gate.promise;
        running -= 1;
      },
    });
    await using _ = watch;
    await writeFile(file, "2");
    await expect.poll(() => seen).toEqual(["2"]);
    await writeFile(file, "3");
    await writeFile(file, "4");
    gate.resolve();
    await expect.poll(() => seen.at(-1)).toBe("4");
  });

  it("sees a change without any notification", async () => {
    await using temp = await temporaryFolder();
    const file = join(temp.path, "a.yaml");
    await writeFile(file, "1");
    const known = await readManifests(temp.path);
    const { watch, changes } = await watching(temp.path, { known: { ...known, folders: [] }, pollMs: 30, settleMs: 1 });
    await using _ = watch;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await writeFile(file, "2");
    await expect.poll(() => changes).toEqual(["2"]);
  });

  it("reports a folder that went away once, and goes on when it is back", async () => {
    await using temp = await temporaryFolder();
    const folder = join(temp.path, "m");
    await mkdir(folder);
    await writeFile(join(folder, "a.yaml"), "1");
    const { watch, changes, errors } = await watching(folder, { pollMs: 30 });
    await using _ = watch;
    await rename(folder, `${folder}2`);
    await expect.poll(() => errors).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(errors).toEqual([`${folder} does not exist.`]);
    await writeFile(join(`${folder}2`, "a.yaml"), "2");
    await rename(`${folder}2`, folder);
    await expect.poll(() => changes).toEqual(["2"]);
    await writeFile(join(folder, "a.yaml"), "3");
    await expect.poll(() => changes).toEqual(["2", "3"]);
  });

  it("watches one file that is saved by rename", async () => {
    await using temp = await temporaryFolder();
    const file = join(temp.path, "mesh.yaml");
    await writeFile(file, "1");
    const { watch, changes } = await watching(file);
    await using _ = watch;
    await writeFile(`${file}~`, "2");
    await rename(`${file}~`, file);
    await expect.poll(() => changes).toEqual(["2"]);
  });
});
