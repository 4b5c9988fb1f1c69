import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ReleaseStatus } from "../../src/api/types.ts";
import { observeProcess } from "../../src/local/process-identity.ts";
import { SampleMesh } from "../crash/sample-mesh.ts";
import { type RunningLoad, startLoad } from "../load/start-load.ts";
import { type CliResult, eventually, type RunningUp } from "./product.ts";
import { hasPrometheus, Prometheus, prometheusMissing } from "./prometheus.fixture.ts";

/** `fault-green` beside it says what every twentieth answer of green is (`slow 4`: every fourth): `slow` or an `error`; to a proxy, `broken` is always one. What is slow, fails or dies is taken back by each preset in release-presets.test.ts. */
const app = `
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const color = process.env.COLOR;
const [fault, every = 20] = existsSync("fault-" + color) ? readFileSync("fault-" + color, "utf8").split(" ") : "";
process.once("SIGTERM", () => process.exit(0));

let count = 0;
const server = createServer((request, response) => {
  request.resume();
  // A proxy gives each request an id; who asks whether this is ready does not.
  const isPublic = "x-request-id" in request.headers;
  if (isPublic) count += 1;
  const isBad = isPublic && count % Number(every) === 0;
  const isError = isPublic && (fault === "broken" || (isBad && fault === "error"));
  response.writeHead(isError ? 503 : 200, { "x-color": color });
  setTimeout(() => response.end(), isBad && fault === "slow" ? 300 : 0);
});
// Never closed while idle, because a proxy may be sending the next request just then; node does it after six seconds.
server.keepAliveTimeout = 0;
server.listen(Number(process.env.PORT), "127.0.0.1");
`;

interface MeshOptions {
  /** Of `up`. */
  readonly args?: readonly string[];
  /** In the place of the example's. */
  readonly destinationRule?: string;
}

function replaceDestinationRule({ sandbox }: SampleMesh, rule: string): void {
  const file = join(sandbox.manifests, "mesh.yaml");
  const documents = readFileSync(file, "utf8").split(/^---$/mu);
  const replaced = documents.map((text) => (/^kind: DestinationRule$/mu.test(text) ? `\n${rule}` : text));
  writeFileSync(file, replaced.join("---"));
}

/** Half of it by testers, whom green answers. Less than elsewhere: what is shown here is what is judged, and not speed. */
function startTesting({ port }: SampleMesh): Promise<RunningLoad> {
  const host = "sample.hoge.com";
  return startLoad({
    address: `127.0.0.1:${port}`,
    requests: [{ host }, { host, headers: { "x-version": "green" } }],
    requestsPerSecond: 200,
    newConnectionShare: 0.05,
    durationMs: 120_000,
  });
}

/** The mesh of the example, under load, with a green that has this fault. */
class JudgedMesh implements AsyncDisposable {
  readonly mesh: SampleMesh;
  readonly #up: RunningUp;
  readonly #load: RunningLoad;

  private constructor(mesh: SampleMesh, up: RunningUp, load: RunningLoad) {
    this.mesh = mesh;
    this.#up = up;
    this.#load = load;
  }

  static async create(fault: string, options: MeshOptions = {}): Promise<JudgedMesh> {
    const mesh = await SampleMesh.create();
    mesh.sandbox.write("server.js", app);
    mesh.sandbox.write("fault-green", fault);
    if (options.destinationRule !== undefined) replaceDestinationRule(mesh, options.destinationRule);
    const up = await mesh.sandbox.up({ args: [...mesh.args, ...(options.args ?? [])] });
    return new JudgedMesh(mesh, up, await startTesting(mesh));
  }

  tell(...args: readonly string[]): Promise<CliResult> {
    return this.mesh.sandbox.cli([...args, "--json"]);
  }

  async stopUp(): Promise<void> {
    await this.#up.stop();
  }

  async run(...args: readonly string[]): Promise<ReleaseStatus> {
    const { stdout, stderr } = await this.tell(...args);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** Starts a release to a fifth of the traffic with this check after it. */
  start(check: string): Promise<CliResult> {
    const file = join(this.mesh.sandbox.root, "release.yaml");
    const spec = `{routes: [{virtualService: sample-app}], to: green, strategy: {steps: [{weight: 20}, {check: ${check}}]}}`;
    const metadata = "{name: to-green, namespace: sample-ns}";
    writeFileSync(file, `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: ${metadata}, spec: ${spec}}`);
    return this.tell("start", file);
  }

  async look(): Promise<ReleaseStatus> {
    return (await this.mesh.sandbox.api()).release("to-green", { live: false });
  }

  end(): Promise<ReleaseStatus> {
    return this.run("wait", "to-green", "--for", "done", "--timeout", "45s");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load[Symbol.asyncDispose]();
    await this.mesh[Symbol.asyncDispose]();
  }
}

/** What a check found, in the last event that says it. */
function judged({ events }: ReleaseStatus): unknown {
  return events.findLast(({ kind }) => kind === "judged");
}

test("a version that is slower than the one before is taken back without a limit in milliseconds", async () => {
  await using judgedMesh = await JudgedMesh.create("slow 4");
  await judgedMesh.start("{duration: 10m, compareWithLive: false, latency: [{percentile: 90, timesLive: 3}]}");
  expect(await judgedMesh.end()).toMatchObject({
    phase: "rolledBack",
    message: expect.stringMatching(/at most 3 times the .* ms of the one before are asked for/u),
  });
});

test("a version whose endpoints are taken out of rotation is taken back", async () => {
  const detection =
    "outlierDetection: {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 30s, maxEjectionPercent: 100}";
  const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: sample-app, namespace: sample-ns }
spec:
  host: sample-app
  trafficPolicy: { ${detection} }
  subsets: [{ name: blue, labels: { version: blue } }, { name: green, labels: { version: green } }]
`;
  await using judgedMesh = await JudgedMesh.create("broken", { destinationRule: rule });
  await judgedMesh.start("{duration: 10m, compareWithLive: false, ejections: {max: 0}}");
  expect(await judgedMesh.end()).toMatchObject({
    phase: "rolledBack",
    message: expect.stringMatching(/endpoints? of the new version .* out of rotation/u),
  });
});

test("a check in a dry run tells what it has found and changes nothing, and no command runs unless up allows it", async () => {
  await using judgedMesh = await JudgedMesh.create("error");
  const command = "{duration: 10m, judges: [{name: verify, command: [./verify.sh], interval: 100ms}]}";
  expect(await judgedMesh.start(command)).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("KIR2049") });
  await judgedMesh.start("{duration: 4s, dryRun: true, successRate: {min: 99.9}}");
  const progress = await eventually("the figures of the check", async () => {
    const { check } = await judgedMesh.look();
    return check !== null && check.fresh.requests > 0 ? check : undefined;
  });
  expect(progress).toMatchObject({ isDryRun: true, fresh: { requests: expect.any(Number) }, judges: [] });
  const status = await judgedMesh.end();
  expect(status.phase).toBe("done");
  expect(judged(status)).toMatchObject({
    verdict: "pass",
    detail: expect.stringMatching(/^it is a dry run, which would have failed: .* 99\.9 % are asked for$/u),
    results: [{ kind: "figures", verdict: "fail" }],
  });
  expect(await judgedMesh.mesh.seen()).toEqual(new Set(["blue", "green"]));
});

test("a command says no, its last words are the reason, and one that is deaf ends with up", async () => {
  await using judgedMesh = await JudgedMesh.create("", { args: ["--allow-commands"] });
  const { sandbox } = judgedMesh.mesh;
  const verify = "{name: verify, command: [node, verify.js, '{{to}}'], interval: 200ms, failureLimit: 1}";
  const words = 'console.log("checked " + process.argv[2] + " in " + process.env.KIRIKAE_NAMESPACE); process.exit(1);';
  sandbox.write("verify.js", words);
  await judgedMesh.start(`{duration: 10m, judges: [${verify}]}`);
  expect(await judgedMesh.end()).toMatchObject({
    phase: "rolledBack",
    message: expect.stringContaining(
      "the judge verify said no 2 times: the program ended with 1: checked green in sample-ns",
    ),
  });
  const deaf =
    'require("fs").writeFileSync("pid", String(process.pid)); process.on("SIGTERM", () => {}); setInterval(() => {}, 9e8);';
  sandbox.write("deaf.js", deaf);
  await judgedMesh.start("{duration: 10m, judges: [{name: deaf, timeout: 10m, command: [node, deaf.js]}]}");
  const pid = await eventually("the command", async () => {
    const file = join(sandbox.manifests, "pid");
    return existsSync(file) ? Number(readFileSync(file, "utf8")) || undefined : undefined;
  });
  expect(observeProcess(pid)).toBeDefined();
  await judgedMesh.stopUp();
  await eventually("its end", async () => (observeProcess(pid) === undefined ? true : undefined), 2_000);
});

if (!hasPrometheus) console.warn(prometheusMissing);

test.skipIf(!hasPrometheus)("Prometheus takes a version back by a query about it", async () => {
  await using prometheus = await Prometheus.start({ metrics: 'errors{version="green"} 0\nerrors{version="blue"} 1\n' });
  await using judgedMesh = await JudgedMesh.create("");
  const query = `query: 'errors{version="{{to}}"}', success: "< 0.01"`;
  const judge = `{name: errors, interval: 300ms, inconclusiveLimit: 50, prometheus: {address: "${prometheus.address}", ${query}}}`;
  await judgedMesh.start(`{duration: 10m, compareWithLive: false, judges: [${judge}]}`);
  await eventually("a yes of Prometheus", async () => {
    const { check } = await judgedMesh.look();
    return (check?.judges[0]?.passed ?? 0) > 0 ? true : undefined;
  });
  prometheus.metrics = 'errors{version="green"} 0.2\nerrors{version="blue"} 0\n';
  expect(await judgedMesh.end()).toMatchObject({
    phase: "rolledBack",
    message: expect.stringContaining("the judge errors said no once: 0.2 is not < 0.01"),
  });
});
