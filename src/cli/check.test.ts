import { spawn } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const bin = fileURLToPath(new URL("../../bin/kirikae.js", import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "kirikae-check-")));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs `check` in the folder, as a pipeline would. */
async function check(
  args: readonly string[],
  options: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
) {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, KIRIKAE_STATE: folder, ...options.env };
  const child = spawn(process.execPath, [bin, "check", ...args], { cwd: folder, env });
  child.stdin.end(options.input ?? "");
  const closed = new Promise<number | null>((resolve) => {
    child.once("close", (status) => resolve(status));
  });
  const [status, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  return { status, stdout, stderr };
}

const gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [a.example.com]
`;

/** Its destination does not exist: an error that silences nothing else. */
const virtualService = (annotations = "{}") => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: demo, annotations: ${annotations}}
spec:
  hosts: [a.example.com]
  gateways: [web]
  http:
  - route: [{destination: {host: nowhere.example.com, port: {number: 80}}}]
`;

const ignore = (entries: string) => virtualService(`{kirikae.dev/ignore: ${JSON.stringify(entries)}}`);
const codesOf = (stdout: string): readonly string[] => JSON.parse(stdout).map(({ code }: { code: string }) => code);

describe("what is read", () => {
  test("an empty standard input is no answer, because the command before it may have failed", async () => {
    const { status, stderr } = await check(["-"]);
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("Standard input is empty."),
    });
  });

  test("files, folders and standard input together, each file once", async () => {
    await mkdir(join(folder, "sub"));
    await writeFile(join(folder, "gateway.yaml"), gateway);
    await writeFile(join(folder, "sub", "vs.yaml"), virtualService());
    const input = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: nowhere, namespace: demo}
spec: {hosts: [nowhere.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
`;
    const { status, stdout } = await check(["gateway.yaml", "-", ".", "./sub"], { input });
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining("in 3 files") });
  });

  test("what Helm and kustomize print: empty documents, comments and Lists; a finding names its template", async () => {
    const input = `# Source: shop/templates/empty.yaml
---

---
# Source: shop/templates/list.yaml
apiVersion: v1
kind: List
items:
- apiVersion: networking.istio.io/v1
  kind: Gateway
  metadata: {name: web, namespace: demo}
  spec: {selektor: {}, servers: []}
---
`;
    const { status, stdout } = await check(["-"], { input });
    expect(status).toBe(1);
    expect(stdout).toContain("<stdin>:12:10 error KIR1004");
    expect(stdout).toContain("template: shop/templates/list.yaml");
  });

  test("a chart or an overlay is told what makes manifests of it", async () => {
    await writeFile(join(folder, "Chart.yaml"), "apiVersion: v2\nname: shop\n");
    await writeFile(join(folder, "kustomization.yaml"), "resources: [a.yaml]\n");
    await writeFile(join(folder, "t.yaml"), "{{- if .Values.on }}\nkind: Gateway\n{{- end }}\n");
    const { stdout } = await check(["."]);
    expect(stdout.match(/helm template CHART/gu)).toHaveLength(2);
    expect(stdout).toContain("kustomize build");
  });

  test("a link that leads nowhere is one finding, and the rest is read", async () => {
    await writeFile(join(folder, "gateway.yaml"), gateway);
    await symlink("nowhere", join(folder, "link.yaml"));
    const { status, stdout } = await check([".", "--json"]);
    expect(status).toBe(1);
    expect(codesOf(stdout)).toContain("KIR1084");
  });

  test("a line of a Secret is never shown", async () => {
    const secret = "kind: Secret\napiVersion: v1\nmetadata: {name: S_BAD, namespace: demo}\ndata: {tls.key: S3CRET}\n";
    const { status, stdout } = await check(["-"], { input: secret });
    expect({ status, shown: /S3CRET|metadata: \{/u.test(stdout) }).toEqual({ status: 1, shown: false });
  });
});

describe("--fail-on", () => {
  test.each([
    ["error", 1],
    ["warning", 1],
    ["info", 1],
    ["never", 0],
  ])("%s with an error is status %i", async (level, expected) => {
    const { status } = await check(["-", "--fail-on", level], { input: gateway + virtualService() });
    expect(status).toBe(expected);
  });
});

describe("kirikae.dev/ignore", () => {
  const entries = "KIR1021: made by another chart";

  test("silences its finding, counts it, and shows it where asked", async () => {
    const input = gateway + ignore(entries);
    const plain = await check(["-"], { input });
    expect(plain.stdout).not.toContain("KIR1021");
    expect(plain.stdout).toContain("1 suppressed");
    const shown = await check(["-", "--show-suppressed"], { input });
    expect(shown.stdout).toContain("suppressed error KIR1021");
    expect(shown.stdout).toContain("reason: made by another chart (<stdin>:12:");
    const json = JSON.parse((await check(["-", "--show-suppressed", "--output", "json"], { input })).stdout);
    expect(json).toContainEqual(
      expect.objectContaining({
        code: "KIR1021",
        suppression: { reason: "made by another chart", at: { file: "<stdin>", line: 12, column: 52 } },
      }),
    );
    expect(codesOf((await check(["-", "--json"], { input })).stdout)).not.toContain("KIR1021");
  });

  test("an entry without a reason, of no code, without a finding, or of what is misread is a finding itself", async () => {
    const input = gateway + ignore("KIR1021; KIR9999: x; KIR1036: y; KIR1001: z");
    const { stdout } = await check(["-", "--json"], { input });
    expect(codesOf(stdout)).toEqual(expect.arrayContaining(["KIR1021", "KIR1080", "KIR1081", "KIR1082", "KIR1083"]));
  });
});

interface SarifResult {
  readonly ruleId: string;
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number };
    };
  }[];
  readonly suppressions?: readonly { readonly justification: string }[];
}

test("SARIF has rules, levels, relative places and suppressions with their reasons", async () => {
  await mkdir(join(folder, "a b"));
  await writeFile(join(folder, "gateway.yaml"), gateway.replace("selector", "selektor"));
  await writeFile(join(folder, "a b", "vs.yaml"), ignore("IST0101: made by another chart"));
  const { status, stdout } = await check([folder, "-o", "sarif"]);
  expect(status).toBe(1);
  const { version, runs } = JSON.parse(stdout);
  expect(version).toBe("2.1.0");
  const [{ tool, results, columnKind }] = runs;
  expect(columnKind).toBe("utf16CodeUnits");
  const { rules } = tool.driver;
  for (const result of results) expect(rules[result.ruleIndex].id).toBe(result.ruleId);
  expect(rules).toContainEqual(
    expect.objectContaining({
      id: "KIR1004",
      name: "UnknownField",
      defaultConfiguration: { level: "error" },
      help: expect.objectContaining({ text: expect.stringContaining("IST0106") }),
    }),
  );
  const places = (results as readonly SarifResult[]).map(({ ruleId, locations: [at], suppressions }) => [
    ruleId,
    at?.physicalLocation.artifactLocation.uri,
    at?.physicalLocation.region.startLine,
    suppressions?.[0]?.justification,
  ]);
  expect(places).toContainEqual(["KIR1004", "gateway.yaml", 5, undefined]);
  expect(places).toContainEqual(["KIR1021", "a%20b/vs.yaml", 9, "made by another chart"]);
  const elsewhere = JSON.parse((await check(["-", "-o", "sarif"], { input: "kind: [" })).stdout);
  expect(elsewhere.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe("stdin");
});

describe("--explain", () => {
  test("says what a code means, by kirikae's and by Istio's", async () => {
    const one = await check(["--explain", "kir1021"]);
    expect(one).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("KIR1021 IST0101 error: destination host"),
    });
    const several = await check(["--explain", "IST0101", "--json"]);
    expect(codesOf(several.stdout)).toEqual(expect.arrayContaining(["KIR1020", "KIR1021"]));
    expect((await check(["--explain", "KIR5013"])).stdout).toContain("ends a command");
    expect(await check(["--explain", "KIR102"])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("Did you mean"),
    });
  });
});

test("names in manifests steer no terminal, in no form", async () => {
  const input = gateway.replace("a.example.com", '"x\\e[2J\\u202Egnp\\u009B.example.com"');
  for (const form of ["text", "json", "sarif"]) {
    const { stdout } = await check(["-", "-o", form], { input, env: { NO_COLOR: undefined, FORCE_COLOR: "1" } });
    const own = form === "text" ? stripVTControlCharacters(stdout) : stdout;
    expect(own).not.toMatch(/(?!\n)\p{Cc}|\u202E/u);
    // What would turn or clear the screen is there, as text.
    expect(stdout).toContain("KIR1005");
  }
});
