import { expect, test } from "vitest";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { tellOfClusters } from "./left-running.ts";

test("an order for a cluster names the `up` of that cluster, and not one of a folder", () => {
  const silence = new KirikaeError("KIR5050", "No `kirikae up` is running.", {
    exitStatus: 3,
    hint: "`kirikae up DIR`",
  });
  const told = tellOfClusters(silence, ["prod", "spare"]);
  expect(told.message).toContain("`kirikae up --context prod --context spare`");
  expect(told).toMatchObject({ code: "KIR5050", exitStatus: 3 });
  expect(told.hint).not.toContain("DIR");
});
