import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseManifests } from "../src/core/manifest/parse-manifests.ts";
import { buildMesh } from "../src/core/mesh/build-mesh.ts";
import { checkMesh } from "../src/core/mesh/check-mesh.ts";
import { additionsAfter } from "../src/core/release/live/additions-in-place.ts";
import { planRelease } from "../src/core/release/plan/plan-release.ts";
import { addRoutes } from "../src/core/routes/add-routes.ts";
import { buildRouteTable } from "../src/core/routes/build-route-table.ts";
import { simulate } from "../src/core/routes/simulate.ts";

const examples = fileURLToPath(new URL("../examples/", import.meta.url));

test.each(readdirSync(examples))("the manifests of examples/%s leave nothing to complain about", (name) => {
  const { table, findings } = readExample(name);
  expect(findings).toEqual([]);
  // One gateway each, but for the canary: its rules are for callers inside the mesh.
  const gateways = table.listeners.filter(({ role }) => role.kind === "gateway");
  expect(gateways).toHaveLength(name === "canary" ? 0 : 1);
  expect(table.listeners.length).toBeGreaterThan(gateways.length);
});

test.each([
  { name: "blue-green", authority: "sample.hoge.com", headers: [], weights: { blue: 100, green: 0 } },
  {
    name: "blue-green",
    authority: "sample.hoge.com",
    headers: [["x-version", "green"]] as const,
    weights: { blue: 0, green: 100 },
  },
  {
    name: "canary",
    from: "istio-canary/client",
    authority: "istio-service",
    headers: [],
    weights: { v1: 100, v2: 0 },
  },
  { name: "instant-switch", authority: "color.example.com", headers: [], weights: { "blue-api": 100, "green-api": 0 } },
])(
  "examples/$name can move $authority with $headers: every arm is there",
  ({ name, from, authority, headers, weights }) => {
    const request = { from, port: 80, scheme: "http", authority, method: "GET", target: "/", headers } as const;
    const { result } = simulate(readExample(name).table, request);
    if (result.kind !== "route") throw new Error(`expected a route, not ${result.kind}`);
    const { arms } = result.action.split;
    expect(Object.fromEntries(arms.map((arm) => [versionOf(arm.destination), arm.weight]))).toEqual(weights);
  },
);

test("each Release of the examples can be planned from its manifests, and each preset has one", () => {
  const { table, manifests } = readExample("blue-green");
  const releases = manifests.filter((manifest) => manifest.kind === "Release");
  for (const release of releases) {
    const planning = planRelease({ table, current: new Map(), release, actor: "test" });
    if (planning.kind === "refused") throw planning.error;
    expect(planning.plan.steps.length).toBeGreaterThan(1);
  }
  expect(new Set(releases.map(({ spec }) => spec.strategy.kind))).toEqual(
    new Set(["blueGreen", "canary", "abTest", "mirrorFirst", "cohorts"]),
  );
});

test("what a release lays over a rule for callers inside the mesh is laid on their sidecars", () => {
  const { table } = readExample("canary");
  const text = [
    "apiVersion: kirikae.dev/v1alpha1",
    "kind: Release",
    "metadata: { name: r, namespace: istio-canary }",
    "spec:",
    "  routes: [{ virtualService: istio-service }]",
    "  to: v2",
    "  sessionAffinity: {}",
    "  strategy: { abTest: { preview: { match: [{ headers: { x-beta: {} } }] }, hold: {} } }",
  ].join("\n");
  const [release] = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "default" }).manifests;
  if (release?.kind !== "Release") throw new Error("no Release");
  const planning = planRelease({ table, current: new Map(), release, actor: "test" });
  if (planning.kind === "refused") throw planning.error;
  const additions = additionsAfter(planning.plan, 2).map((addition) => ({ release: planning.plan.release, addition }));
  const laid = addRoutes(table, additions);
  const ask = (headers: readonly (readonly [string, string])[]) => {
    const sent = {
      from: "istio-canary/client",
      port: 80,
      scheme: "http",
      method: "GET",
      target: "/",
      headers,
    } as const;
    const { result } = simulate(laid, { ...sent, authority: "istio-service" });
    if (result.kind !== "route") throw new Error(`expected a route, not ${result.kind}`);
    return [result.arms.map(({ arm }) => versionOf(arm.destination)), result.action.split.chosenBy?.kind];
  };
  expect(ask([["x-beta", ""]])).toEqual([["v2"], undefined]);
  expect(ask([])).toEqual([["v1"], "newCookie"]);
  expect(ask([["cookie", "kirikae-visitor=a"]])).toEqual([["v1"], "cookie"]);
});

test("the example's app answers its colour and ends what it has begun when it is told to stop", async () => {
  const child = spawn(process.execPath, [`${examples}blue-green/server.js`], {
    env: { ...process.env, PORT: "0", COLOR: "green" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const url = `http://${String((await lines.next()).value).replace(/^.*listens on /, "")}`;
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get("x-color"), await answer.text()]).toEqual([200, "green", "green\n"]);
    expect((await fetch(`${url}/status?code=503`)).status).toBe(503);
    expect((await fetch(`${url}/ready`)).status).toBe(200);

    const stream = (await fetch(`${url}/events`)).body?.getReader();
    const first = new TextDecoder().decode((await stream?.read())?.value);
    expect(first).toContain('data: {"color":"green","count":0}');
    const slow = fetch(`${url}/slow?ms=300`);
    // The slow request has reached the app once a later one on another connection is answered.
    await fetch(url);
    child.kill("SIGTERM");
    expect((await slow).status).toBe(200);
    while ((await stream?.read())?.done === false);
    const [status] = await exited;
    expect(status).toBe(0);
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
});

/** Of `outbound|<port>|<subset>|<host>` the subset, or the host's first label without one. */
function versionOf(destination: string): string {
  const [, , subset = "", host = ""] = destination.split("|");
  return subset === "" ? (host.split(".")[0] ?? "") : subset;
}

function readExample(name: string) {
  const folder = `${examples}${name}/`;
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => ({ path: `examples/${name}/${file}`, text: readFileSync(`${folder}${file}`, "utf8") }));
  const parsed = parseManifests(sources, { defaultNamespace: "default" });
  const built = buildMesh(parsed.manifests);
  const routes = buildRouteTable(built.mesh);
  const findings = [...parsed.diagnostics, ...built.diagnostics, ...checkMesh(built.mesh), ...routes.diagnostics];
  return { table: routes.table, manifests: parsed.manifests, findings };
}
