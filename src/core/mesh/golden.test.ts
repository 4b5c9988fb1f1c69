import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { buildMesh } from "./build-mesh.ts";
import { checkMesh } from "./check-mesh.ts";
import type { Mesh } from "./mesh.ts";

const folder = new URL("../../../testdata/manifests/", import.meta.url);
const cases = readdirSync(folder)
  .filter((name) => name.endsWith(".in.yaml"))
  .map((name) => name.replace(/\.in\.yaml$/, ""));

describe("manifests give these findings and this mesh", () => {
  test.each(cases)("%s", async (name) => {
    const path = `${name}.in.yaml`;
    const text = readFileSync(new URL(path, folder), "utf8");
    const parsed = parseManifests([{ path, text }], { defaultNamespace: "default" });
    const built = buildMesh(parsed.manifests);
    const findings = [...parsed.diagnostics, ...built.diagnostics, ...checkMesh(built.mesh)];
    const rendered = stringify(
      { findings: findings.map(renderFinding), mesh: renderMesh(built.mesh) },
      { lineWidth: 0 },
    );
    await expect(rendered).toMatchFileSnapshot(new URL(`${name}.out.yaml`, folder).pathname);
  });
});

function renderFinding(finding: Diagnostic): Record<string, string> {
  const at = finding.at === undefined ? "" : renderPosition(finding.at);
  const what = [at, finding.level, finding.code, finding.istioCode].filter((part) => part !== undefined).join(" ");
  return {
    what,
    ...(finding.resource === undefined ? {} : { resource: finding.resource }),
    message: finding.message,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
  };
}

function renderMesh(mesh: Mesh): Record<string, unknown> {
  return {
    gateways: mesh.gateways.map((gateway) => gateway.metadata.name),
    virtualServices: mesh.virtualServices.map((service) => service.metadata.name),
    destinationRules: mesh.destinationRules.map((rule) => rule.metadata.name),
    services: Object.fromEntries(
      [...mesh.services].map(([host, service]) => [
        host,
        {
          from: service.origin.kind,
          resolution: service.resolution,
          ports: service.ports.map((port) => `${port.number} ${port.protocol}`),
          endpoints: service.endpoints.map(({ source, labels, ports }) => ({
            [source.kind]: source.kind === "address" ? source.address : source.name,
            labels,
            ports: [...ports].map(([from, to]) => `${from}->${to}`).join(" "),
          })),
        },
      ]),
    ),
  };
}
