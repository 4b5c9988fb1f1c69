import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { buildMeshModel } from "../core/mesh-model.ts";
import { narrowTable } from "./narrow-table.ts";

const path = new URL("../../testdata/routes/inbound-uninjected.in.yaml", import.meta.url);
const { table } = buildMeshModel([{ path: "m.yaml", text: readFileSync(path, "utf8") }], {
  defaultNamespace: "default",
});

test("the part of a table that one caller gets holds what stands before the workloads that it reaches", () => {
  const { listeners, destinations } = narrowTable(table, { from: "app/client" });
  const inbound = listeners.filter(({ role }) => role.kind === "inbound").map(({ id }) => id);
  expect(inbound).toEqual(["inbound|8080|app/web#0"]);
  expect(destinations.has("inbound|8080||app/web#0")).toBe(true);
  expect(listeners.some(({ id }) => id === "outbound:app/web")).toBe(false);
});
