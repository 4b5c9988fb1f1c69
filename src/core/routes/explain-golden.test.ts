import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { buildMesh } from "../mesh/build-mesh.ts";
import { buildRouteTable } from "./build-route-table.ts";
import { explain } from "./explain.ts";
import type { SimulatedRequest } from "./simulation.ts";

const folder = new URL("../../../testdata/manifests/", import.meta.url);
const texts = readdirSync(folder)
  .filter((name) => name.endsWith(".in.yaml"))
  .map((path) => ({ path, text: readFileSync(new URL(path, folder), "utf8") }));
const cases = texts.filter(({ text }) => requestLines(text).length > 0);

describe("requests in comments of manifests are explained like this", () => {
  test.each(cases)("$path", async ({ path, text }) => {
    const { manifests } = parseManifests([{ path, text }], { defaultNamespace: "default" });
    const { table } = buildRouteTable(buildMesh(manifests).mesh);
    const explained = requestLines(text).map((line) => ({
      request: line,
      explanation: explain(table, readRequest(line), { endpoints: (workload) => [`replicas of ${workload}`] }),
    }));
    const expected = new URL(path.replace(/\.in\.yaml$/, ".explain.json"), folder);
    await expect(`${JSON.stringify(explained, undefined, 2)}\n`).toMatchFileSnapshot(expected.pathname);
  });
});

/** `# request: GET http://host/path name: value; name: value`, without the part up to the colon. */
function requestLines(text: string): readonly string[] {
  return [...text.matchAll(/^# request: (?<line>.+)$/gm)].map((match) => match.groups?.["line"] ?? "");
}

function readRequest(line: string): SimulatedRequest {
  const { method, host, port, target, headers } =
    /^(?<method>\S+) http:\/\/(?<host>[^/:]+)(?::(?<port>\d+))?(?<target>\/\S*)(?: (?<headers>.+))?$/.exec(line)
      ?.groups ?? {};
  return {
    port: Number(port ?? 80),
    scheme: "http",
    authority: [host, ...(port === undefined ? [] : [port])].join(":"),
    method: method ?? "",
    target: target ?? "",
    headers: (headers?.split("; ") ?? []).map((each): [string, string] => {
      const [name = "", value = ""] = each.split(": ");
      return [name, value];
    }),
  };
}
