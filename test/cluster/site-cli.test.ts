import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { bin, eventually, Sandbox } from "../e2e/product.ts";
import type { Cluster } from "./cluster.ts";
import type { KubeObject } from "./kube-client.ts";
import type { Kubectl } from "./kubectl.ts";
import { describeCluster, test } from "./shared-cluster.ts";
import { Site } from "./site.ts";
import { buildVirtualService } from "./site-objects.ts";
import { writtenWeights } from "./written-weights.ts";

const namespace = "cli";
const istio = "networking.istio.io";

/** Weights of the rule for everybody, as the API server has them. */
async function publicWeights(kubectl: Kubectl): Promise<Readonly<Record<string, number>>> {
  const found = await kubectl.getJson<KubeObject>(["virtualservice", "app", "-n", namespace]);
  return writtenWeights(found, "public");
}

/** Rights for users who had none, until disposed: other files share the cluster. */
async function grant(cluster: Cluster, objects: readonly KubeObject[]): Promise<AsyncDisposable> {
  for (const object of objects) await cluster.client.apply(object);
  return {
    async [Symbol.asyncDispose]() {
      for (const object of objects) await cluster.client.deleteIfThere(object);
    },
  };
}

function roleOf(user: string, inNamespace: string, rules: readonly object[]): readonly KubeObject[] {
  const metadata = { name: `cli-${user}`, namespace: inNamespace };
  const api = "rbac.authorization.k8s.io/v1";
  return [
    { apiVersion: api, kind: "Role", metadata, rules },
    {
      apiVersion: api,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    },
  ];
}

const look = ["get", "list", "watch"];
const lookAtRoutes = [
  {
    apiGroups: [istio],
    resources: ["virtualservices", "destinationrules", "gateways", "serviceentries", "workloadentries", "sidecars"],
    verbs: look,
  },
  { apiGroups: [""], resources: ["services", "pods"], verbs: look },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: look },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: look },
  { apiGroups: [""], resources: ["pods/portforward"], verbs: ["get", "create"] },
];

describeCluster("commands with --context", () => {
  test("look at live objects and name their fields", async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const routes = await site.kirikae(["routes", "--gateway", `${namespace}/app`]);
    expect(routes, routes.stderr).toMatchObject({ exitCode: 0 });
    expect(routes.stdout).toContain(`VirtualService ${namespace}/app spec.http[1]`);
    const url = `http://${namespace}.example.com/`;
    const explained = await site.kirikae(["explain", "--url", url, "--json"]);
    expect(JSON.parse(explained.stdout)).toMatchObject({
      outcome: "route",
      virtualService: `${namespace}/app`,
      at: { file: `VirtualService ${namespace}/app`, field: "spec.http[1]" },
    });
    const checked = await site.kirikae(["check", "-n", namespace]);
    expect(checked, checked.stdout).toMatchObject({ exitCode: 0 });
    expect(checked.stdout).toMatch(/^0 errors, 0 warnings in \d+ objects$/mu);

    await cluster.client.apply(broken(site));
    const found = await site.kirikae(["check", "-n", namespace, "--json"]);
    expect(found).toMatchObject({ exitCode: 1 });
    expect(JSON.parse(found.stdout)).toContainEqual(
      expect.objectContaining({
        level: "error",
        at: {
          file: `VirtualService ${namespace}/app`,
          line: 1,
          column: 1,
          field: expect.stringMatching(/^spec\.http/u),
        },
      }),
    );
  });

  test("plan a Release on what is live", async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const file = join(site.sandbox.root, "release.yaml");
    await writeFile(
      file,
      `apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: to-green, namespace: ${namespace} }
spec: { routes: [{ virtualService: app, route: public }], to: green, strategy: { canary: { weights: [10, 50] } } }
`,
    );
    const planned = await site.kirikae(["plan", file, "--json"]);
    expect(planned, planned.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(planned.stdout)).toMatchObject({ release: `${namespace}/to-green`, to: "green" });
    const text = await site.kirikae(["plan", file]);
    expect(text.stdout).toContain("blue 100 to 90 %, green 0 to 10 %");
  });

  test("move weights, say how, and take them back", { timeout: 60_000 }, async ({ cluster, kubectl }) => {
    await using site = await Site.start({ cluster, namespace });
    const dry = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green", "--dry-run"]);
    expect(dry, dry.stderr).toMatchObject({ exitCode: 0 });
    expect(await publicWeights(kubectl)).toEqual({ blue: 100, green: 0 });

    const shifted = await site.kirikae(["shift", "app", "-n", namespace, "--to", "green=10", "--json"]);
    expect(shifted, shifted.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(shifted.stdout)).toMatchObject({
      ok: true,
      outcome: "done",
      proxies: [{ node: `gateway-1.${namespace}` }],
    });
    expect(await publicWeights(kubectl)).toEqual({ blue: 90, green: 10 });

    const status = await site.kirikae(["status", "app", "-n", namespace, "--json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({
      site: { context: "admin", troubles: [] },
      services: [{ virtualService: `${namespace}/app`, live: "blue" }],
    });

    const back = await site.kirikae(["rollback", "app", "-n", namespace]);
    expect(back, back.stderr).toMatchObject({ exitCode: 0 });
    expect(back.stdout).toContain(`Undo it with: kirikae --context admin rollback app -n ${namespace}`);
    expect(await publicWeights(kubectl)).toEqual({ blue: 100, green: 0 });
    const history = await site.kirikae(["history", "--json"]);
    expect(JSON.parse(history.stdout)).toMatchObject([
      { verb: "shift", outcome: "done" },
      { verb: "rollback", outcome: "done" },
    ]);

    // Another laptop knows who moved it, and not from where.
    await using other = new Sandbox({});
    const env = { KUBECONFIG: cluster.api.kubeconfig };
    const elsewhere = await other.cli(["--context", "admin", "rollback", "app", "-n", namespace], env);
    expect(elsewhere).toMatchObject({ exitCode: 1 });
    expect(elsewhere.stderr).toContain("KIR2011");
    expect(elsewhere.stderr).toMatch(/moved it at 20.* this journal does not know from where/u);
  });

  test("end what a killed command has left", { timeout: 90_000 }, async ({ cluster, kubectl }) => {
    await using site = await Site.start({ cluster, namespace });
    // The proof has to wait, so that there is a middle to die in.
    cluster.istiod.program.pause();
    const args = [bin, "--context", "admin", "switch", "app", "-n", namespace, "--to", "green"];
    const child = spawn(process.execPath, args, { env: site.environment, stdio: "ignore" });
    const ended = once(child, "exit");
    try {
      await eventually("the write", async () => ((await publicWeights(kubectl))["green"] === 100 ? true : undefined));
    } finally {
      child.kill("SIGKILL");
      cluster.istiod.program.resume();
    }
    await ended;
    const [gateway] = site.gateways;
    if (gateway === undefined) throw new Error("no gateway");
    await site.whenAnswered(gateway, (version) => version === "green");
    const next = await site.kirikae(["switch", "app", "-n", namespace, "--to", "blue"]);
    expect(next, next.stderr).toMatchObject({ exitCode: 0 });
    expect(next.stderr).toMatch(new RegExp(`of ${namespace}/app: .*kirikae died`, "u"));
    expect(await publicWeights(kubectl)).toEqual({ blue: 100, green: 0 });
    const history = await site.kirikae(["history", "--json"]);
    expect(JSON.parse(history.stdout)).toMatchObject([
      { verb: "switch", outcome: "unproved" },
      { verb: "recovery", actor: "kirikae", outcome: "unproved" },
      { verb: "switch", outcome: "done" },
    ]);
  });
});

describeCluster("commands with --context that cannot be carried out", () => {
  test("name what is wrong with the command line", async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const wrong = await site.sandbox.cli(["--context", "moon", "status"], { KUBECONFIG: cluster.api.kubeconfig });
    expect(wrong).toMatchObject({ exitCode: 2 });
    expect(wrong.stderr).toContain("KIR4002");
    expect(wrong.stderr).toContain("releaser");
    const version = await site.kirikae(["switch", "app", "-n", namespace, "--to", "purple", "--json"]);
    expect(version).toMatchObject({ exitCode: 2 });
    expect(JSON.parse(version.stdout)).toMatchObject({ error: { code: expect.stringMatching(/^KIR2/u) } });
    for (const args of [
      ["curl", "http://a/", "--from", "a/b"],
      ["up", "."],
      ["check", "."],
      ["check", "--context", "reader"],
    ]) {
      expect(await site.kirikae(args), args.join(" ")).toMatchObject({ exitCode: 2 });
    }
    const unnamed = await site.sandbox.cli(["status", "--istiod", "http://127.0.0.1:1"]);
    expect(unnamed).toMatchObject({ exitCode: 2 });
  });

  test("say which right is missing", { timeout: 120_000 }, async ({ cluster, kubectl }) => {
    await using site = await Site.start({ cluster, namespace });
    const blind = await site.kirikae(["status", "-n", namespace], "nobody");
    expect(blind.exitCode).not.toBe(0);
    expect(blind.stderr).toContain("KIR4005");

    const places = [namespace, "istio-system"];
    await using reading = await grant(
      cluster,
      places.flatMap((place) => roleOf("reader", place, lookAtRoutes)),
    );
    const status = await site.kirikae(["status", "app", "-n", namespace], "reader");
    expect(status, status.stderr).toMatchObject({ exitCode: 0 });
    expect(status.stderr).toContain("not seen  virtualservices");
    const doctor = await site.kirikae(["doctor", "-n", namespace], "reader");
    expect(doctor).toMatchObject({ exitCode: 1 });
    expect(doctor.stdout).toMatch(/fail {2}right to patch virtualservices.*no right to patch virtualservices/u);
    const refused = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green"], "reader");
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(`${refused.stdout}${refused.stderr}`).toMatch(/patch|not allowed|forbidden/iu);
    expect(await publicWeights(kubectl)).toEqual({ blue: 100, green: 0 });

    // What doctor prints is enough.
    const rbac = await site.kirikae(["doctor", "--rbac", "-n", namespace]);
    await kubectl.apply(rbac.stdout);
    await using applied = new AsyncDisposableStack();
    applied.defer(async () => void (await kubectl.run(["delete", "-f", "-"], { input: rbac.stdout })));
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "kirikae-mover" };
    const bindings = places
      .flatMap((place) => roleOf("releaser", place, []))
      .filter(({ kind }) => kind === "RoleBinding");
    await using moving = await grant(
      cluster,
      bindings.map((binding) => ({ ...binding, roleRef })),
    );
    const well = await site.kirikae(["doctor", "-n", namespace], "releaser");
    expect(well, well.stdout).toMatchObject({ exitCode: 0 });
    expect(well.stdout).not.toMatch(/(?:warn|fail) {2}right/u);
    const moved = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green"], "releaser");
    expect(moved, moved.stdout + moved.stderr).toMatchObject({ exitCode: 0 });
  });

  test("write no weights that belong to somebody else", { timeout: 60_000 }, async ({ cluster, kubectl }) => {
    await using site = await Site.start({ cluster, namespace });
    const file = join(site.sandbox.root, "app.json");
    await writeFile(file, JSON.stringify(buildVirtualService(site.shape)));
    await kubectl.run(["apply", "--server-side", "--force-conflicts", "--field-manager=flux", "-f", file]);
    const refused = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green"]);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(`${refused.stdout}${refused.stderr}`).toContain("flux");
    expect(await publicWeights(kubectl)).toEqual({ blue: 100, green: 0 });
    const taken = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green", "--take-over", "flux"]);
    expect(taken, taken.stdout + taken.stderr).toMatchObject({ exitCode: 0 });
    expect(await publicWeights(kubectl)).toEqual({ blue: 0, green: 100 });
  });
});

/** Its rule leads to a subset that no DestinationRule has. */
function broken(site: Site): KubeObject {
  return JSON.parse(
    JSON.stringify(buildVirtualService(site.shape)).replaceAll('"subset":"green"', '"subset":"grene"'),
  ) as KubeObject;
}
