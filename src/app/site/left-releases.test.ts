import { copyFileSync, mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { ReleaseProcess } from "../../../test/release-process.fixture.ts";
import { locateStateFolder } from "../../local/state-folder.ts";
import { readLeftReleases } from "./left-releases.ts";
import { siteEnvironment } from "./site-state.ts";

test("what was begun on a cluster from here is read from its journal, and from that of no other", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kirikae-left-"));
  const env = { KIRIKAE_STATE: folder };
  try {
    expect(readLeftReleases(env, ["prod"])).toEqual([]);
    const process = new ReleaseProcess();
    process.start("{steps: [{weight: 10}, {hold: {}}]}");
    await process.until("holding");
    await process[Symbol.asyncDispose]();
    const { journal } = locateStateFolder(siteEnvironment(env, "prod"));
    mkdirSync(dirname(journal), { recursive: true });
    copyFileSync(process.file, journal);
    expect(readLeftReleases(env, ["prod"])).toMatchObject([
      { release: "shop/r", phase: "holding", step: 2, message: "waits to be promoted", live: null, check: null },
    ]);
    expect(readLeftReleases(env, ["prod", "other"])).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
