import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { explainConnection } from "../src/cli/explain-connection.ts";
import type { Diagnostic } from "../src/core/diagnostics/diagnostic.ts";
import { emitEnvoy, renderEnvoyJson } from "../src/core/envoy/emit-envoy.ts";
import { buildMeshModel, type MeshModel } from "../src/core/mesh-model.ts";
import { explain } from "../src/core/routes/explain.ts";
import type { RouteTable } from "../src/core/routes/route-table.ts";
import { connectionLines, readConnection } from "./routes-golden/read-connection.ts";
import { foldUsual } from "./routes-golden/fold-usual.ts";
import { readRequest, requestLines } from "./routes-golden/read-request.ts";
import { renderTable } from "./routes-golden/render-table.ts";

const folder = new URL("../testdata/routes/", import.meta.url);
const cases = readdirSync(folder)
  .filter((name) => name.endsWith(".in.yaml"))
  .map((name) => name.replace(/\.in\.yaml$/, ""));

/** Where replicas of every LocalWorkload listen, as far as golden files are concerned. */
const replicas = () => [{ address: "127.0.0.1", port: 9999 }];

describe("manifests become these routes, these resources and these findings", () => {
  test.each(cases)("%s", async (name) => {
    const path = `${name}.in.yaml`;
    const text = readFileSync(new URL(path, folder), "utf8");
    const model = buildMeshModel([{ path, text }], { defaultNamespace: "default" });
    const { table, diagnostics } = model;
    const connections = connectionLines(text);
    const resources = renderResources(table);
    const rendered = stringify(
      {
        diagnostics: diagnostics.map(renderFinding),
        requests: Object.fromEntries(requestLines(text).map((line) => [line, renderAnswer(table, line)])),
        ...(connections.length === 0
          ? {}
          : { connections: Object.fromEntries(connections.map((line) => [line, renderConnection(model, line)])) }),
        table: renderTable(table),
        envoy: text.includes("# in full\n") ? resources : foldUsual(resources, reference()),
      },
      { lineWidth: 0, aliasDuplicateObjects: false },
    );
    await expect(rendered).toMatchFileSnapshot(new URL(`${name}.out.yaml`, folder).pathname);
  });
});

function renderResources(table: RouteTable): unknown {
  return renderEnvoyJson(
    emitEnvoy(table, { bind: ({ port }) => ({ address: "127.0.0.1", port }), endpoints: replicas }),
  );
}

/** What the first case, which is printed in full, has alike with others. */
function reference(): unknown {
  const path = "weights.in.yaml";
  const text = readFileSync(new URL(path, folder), "utf8");
  return renderResources(buildMeshModel([{ path, text }], { defaultNamespace: "default" }).table);
}

function renderFinding({ code, istioCode, level, message, at }: Diagnostic): string {
  const codes = istioCode === undefined ? code : `${code} ${istioCode}`;
  return `${at === undefined ? "" : `line ${at.line}: `}${level} ${codes}: ${message}`;
}

function renderAnswer(table: RouteTable, line: string): readonly string[] {
  const answer = explain(table, readRequest(line), { endpoints: (workload) => [`replicas of ${workload}`] });
  const { virtualService, rule, name } = answer;
  const shares = answer.arms.map(
    ({ cluster, weightPercent, endpoints }) => `${weightPercent} % ${cluster} [${endpoints.join(" ")}]`,
  );
  return [
    `${answer.outcome} ${answer.status}${answer.flag === null ? "" : ` ${answer.flag}`}`,
    ...(virtualService === null ? [] : [`${virtualService} rule ${rule ?? ""}${name === null ? "" : ` (${name})`}`]),
    ...shares,
    answer.steps.at(-1)?.reason ?? "",
  ];
}

function renderConnection({ mesh, table }: MeshModel, line: string): readonly string[] {
  const answer = explainConnection({ mesh, table, addresses: new Map() }, readConnection(line));
  const { outcome, flag, virtualService, rule, filterChain, cause } = answer;
  return [
    `${outcome}${flag === null ? "" : ` ${flag}`}`,
    ...(filterChain === null ? [] : [`chain ${filterChain.id}`]),
    ...(virtualService === null ? [] : [`${virtualService} rule ${rule ?? ""}`]),
    ...answer.arms.map(
      ({ cluster, weightPercent, endpoints }) => `${weightPercent} % ${cluster} [${endpoints.join(" ")}]`,
    ),
    ...(cause === null ? [] : [cause]),
  ];
}
