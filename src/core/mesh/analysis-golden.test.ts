import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";

import { renderPosition } from "../diagnostics/position.ts";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { buildMesh } from "./build-mesh.ts";
import { checkMesh } from "./check-mesh.ts";

const folder = new URL("../../../testdata/analysis/", import.meta.url);
const cases = readdirSync(folder)
  .filter((name) => name.endsWith(".in.yaml"))
  .map((name) => name.replace(/\.in\.yaml$/, ""));

/** Between the dates of the certificates in the cases. */
const nowMs = Date.UTC(2026, 0, 1);

describe("objects say this about each other", () => {
  test.each(cases)("%s", async (name) => {
    const path = `${name}.in.yaml`;
    const text = readFileSync(new URL(path, folder), "utf8");
    const { manifests } = parseManifests([{ path, text }], { defaultNamespace: "default" });
    const findings = checkMesh(buildMesh(manifests).mesh, { nowMs });
    // Nothing of these cases runs on this machine; that it does not is another golden's affair.
    const told = findings.filter(({ code }) => code !== "KIR1035");
    const rendered = told.map(({ at, level, code, istioCode, resource, message, hint }) => ({
      at: at === undefined ? "" : renderPosition(at),
      what: [level, code, istioCode].filter((part) => part !== undefined).join(" "),
      resource,
      message,
      ...(hint === undefined ? {} : { hint }),
    }));
    await expect(stringify(rendered, { lineWidth: 0 })).toMatchFileSnapshot(
      new URL(`${name}.out.yaml`, folder).pathname,
    );
  });
});
