import { expect, test } from "vitest";
import type { ApiClient } from "../api/client.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { readStatus } from "./read-status.ts";

const empty = {
  status: async () => ({ services: [], clusterReleases: [] }),
  releases: async () => [],
  release: async () => {
    throw new KirikaeError("KIR2035", "No release named to-green was started.", { exitStatus: 2 });
  },
} as unknown as ApiClient;

test("a name that nothing has is a mistake", async () => {
  const followed = new Set(["shop/others"]);
  await expect(readStatus(empty, { name: "to-green", followed })).rejects.toMatchObject({ code: "KIR5060" });
});

test("a Release of a cluster that was followed and has been deleted is waited for, as another of its name may come", async () => {
  const followed = new Set(["shop/to-green"]);
  expect(await readStatus(empty, { name: "to-green", followed })).toMatchObject({ services: [], releases: [] });
  expect(await readStatus(empty, { name: "shop/to-green", followed })).toMatchObject({ clusterReleases: [] });
});
