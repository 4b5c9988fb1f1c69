import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { playCommands } from "../../test/played-commands.fixture.ts";

const cli = playCommands();

describe("offline commands", () => {
  const gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [a.example.com]
`;
  const virtualService = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: demo}
spec:
  hosts: [a.example.com]
  gateways: [web]
  http:
  - name: hello
    directResponse: {status: 200, body: {string: hello}}
`;

  test("check: clean, with errors, and from standard input", async () => {
    const dir = join(cli().folder, "manifests");
    await mkdir(dir);
    await writeFile(join(dir, "a.yaml"), gateway + virtualService);
    expect(await cli().run(["check", dir])).toMatchObject({ status: 0, stdout: expect.stringContaining("0 errors") });
    await writeFile(join(dir, "a.yaml"), gateway.replace("selector:", "selektor:"));
    const broken = await cli().run(["check", dir, "--json"]);
    expect(broken.status).toBe(1);
    const findings = JSON.parse(broken.stdout);
    expect(findings[0]).toMatchObject({ code: "KIR1004", level: "error", at: { line: 5, column: 3 } });
    const keys = ["code", "istioCode", "level", "message", "hint", "resource", "at", "suppression"];
    expect(Object.keys(findings[0])).toEqual(keys);
    const shown = await cli().run(["check", dir]);
    expect(shown.stdout).toContain("    5 |   selektor: {istio: ingressgateway}\n      |   ^");
    const { child, ended } = cli().start(["check", "-"]);
    child.stdin.end(gateway.replace("selector:", "selektor:"));
    expect(await ended).toMatchObject({ status: 1, stdout: expect.stringContaining("<stdin>:5:3") });
  });

  test("explain: a route, a miss, and manifests with errors", async () => {
    const file = join(cli().folder, "a.yaml");
    await writeFile(file, gateway + virtualService);
    const taken = await cli().run(["explain", file, "--url", "http://a.example.com/x?y=1", "--json"]);
    expect(taken.status).toBe(0);
    expect(JSON.parse(taken.stdout)).toMatchObject({
      outcome: "direct",
      status: 200,
      virtualService: "demo/a",
      rule: 0,
    });
    const missed = await cli().run(["explain", file, "--url", "http://b.example.com/"]);
    expect(missed).toMatchObject({ status: 0, stdout: expect.stringContaining("404 NR") });
    await writeFile(file, `${gateway}${virtualService}  typo: 1\n`);
    const doubtful = await cli().run(["explain", file, "--url", "http://a.example.com/"]);
    expect(doubtful).toMatchObject({ status: 1, stderr: expect.stringContaining("KIR1004") });
    const typos = ["a", "b", "c", "d", "e"].map((name) => `  typo-${name}: 1\n`).join("");
    await writeFile(file, `${gateway}${virtualService}${typos}`);
    const noisy = await cli().run(["explain", file, "--url", "http://a.example.com/"]);
    expect(noisy.stderr.match(/error KIR1004/gu)).toHaveLength(3);
    expect(noisy.stderr).toContain("... and 2 more errors; `kirikae check` shows all");
  });

  test("plan: a Release with an error is there and broken, and one that is not there is missing", async () => {
    const file = join(cli().folder, "release.yaml");
    const release =
      "apiVersion: kirikae.dev/v1alpha1\nkind: Release\nmetadata: {name: r, namespace: demo}\nspec: {tos: green}\n";
    await writeFile(file, release);
    const broken = await cli().run(["plan", file]);
    expect(broken).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("holds no Release that is without errors."),
    });
    expect(broken.stderr).toContain(`hint: \`kirikae check ${file}\` shows all of them.`);
    await writeFile(file, gateway);
    expect(await cli().run(["plan", file])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("holds no Release."),
    });
  });

  test("curl says what is wrong with a number and a URL, as one sentence", async () => {
    const from = ["curl", "--from", "demo/a"];
    const none = await cli().run([...from, "http://a/", "-n", "0"]);
    expect(none).toMatchObject({ status: 2, stderr: expect.stringMatching(/from 1 to 100000\.\n/u) });
    const url = await cli().run([...from, "ftp://a/"]);
    expect(url.stderr).toContain('"ftp://a/" is not a URL of http or https.\n  hint: Write it as in http://');
  });

  test("start takes a file and no folder", async () => {
    await writeFile(join(cli().folder, "a.yaml"), gateway);
    await writeFile(join(cli().folder, "b.yaml"), gateway);
    expect(await cli().run(["start", cli().folder])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("is a folder."),
    });
  });

  test("history without a journal says so", async () => {
    expect(await cli().run(["history"])).toMatchObject({ status: 3, stderr: expect.stringContaining("KIR2023") });
  });

  test("doctor looks at everything and fetches nothing", async () => {
    await cli().startUp();
    const env = { PATH: "/nowhere", XDG_CACHE_HOME: join(cli().folder, "cache") };
    const { status, stdout } = await cli().run(["doctor", "--json"], env);
    const { ok, checks } = JSON.parse(stdout);
    expect({ ok, status }).toEqual({ ok: false, status: 1 });
    const verdicts = Object.fromEntries(
      checks.map((check: { name: string; verdict: string }) => [check.name, check.verdict]),
    );
    expect(verdicts).toEqual({
      Node: "ok",
      Envoy: "warn",
      Python: "fail",
      "State folder": "ok",
      "kirikae up": "ok",
      Ports: "ok",
    });
    const named = await cli().run(["doctor", "--envoy", "/no/envoy"], env);
    expect(named.stdout).toContain("fail  Envoy");
  });
});
