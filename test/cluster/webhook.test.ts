import { setTimeout as delay } from "node:timers/promises";
import { X509Certificate } from "node:crypto";
import { expect } from "vitest";
import { startSiteWebhook } from "../../src/app/site/site-webhook.ts";
import { WatchedSite } from "../../src/app/site/objects/watch-site.ts";
import type { KubeApi } from "../../src/kubernetes/kube-api.ts";
import { kubeKinds } from "../../src/kubernetes/kube-kinds.ts";
import { neededAccess, webhookSecretName } from "../../src/kubernetes/needed-access.ts";
import type { FailurePolicy } from "../../src/webhook/admission-review.ts";
import { buildWebhookObjects } from "../../scripts/deploy/webhook-objects.ts";
import { plainValues } from "../../scripts/deploy/deploy-values.ts";
import { connectAsAccount } from "./account.ts";
import type { Cluster } from "./cluster.ts";
import type { Kubectl } from "./kubectl.ts";
import { installReleaseKind } from "./release-kind.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const own = "kirikae-webhook-test";
const namespace = "webhook";
const host = "web.webhook.svc.cluster.local";

const entry = {
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name: "web", namespace },
  spec: {
    hosts: [host],
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    resolution: "STATIC",
    location: "MESH_INTERNAL",
    endpoints: ["blue", "green"].map((version, index) => ({
      address: `10.1.0.${index + 1}`,
      labels: { app: "web", version },
    })),
  },
};

const rule = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: { name: "web", namespace },
  spec: { host, subsets: ["blue", "green"].map((version) => ({ name: version, labels: { version } })) },
};

function routes(subset: string, more: object = {}) {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web", namespace },
    spec: { hosts: [host], http: [{ name: "all", route: [{ destination: { host, subset }, weight: 100 }] }], ...more },
  };
}

interface Running extends AsyncDisposable {
  readonly port: number;
}

/** A replica on loopback that leads, and the API server told to ask it by its address. */
async function startReplica(
  { cluster, api, kubectl }: { readonly cluster: Cluster; readonly api: KubeApi; readonly kubectl: Kubectl },
  {
    failure = "open",
    isStale = () => false,
  }: { readonly failure?: FailurePolicy; readonly isStale?: () => boolean } = {},
): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const objects = stack.use(
    await WatchedSite.start({ api, istioNamespace: "istio-system", onChange: () => {}, onTrouble: () => {} }),
  );
  const webhook = stack.use(
    await startSiteWebhook({
      api,
      objects: {
        objects: (kind) => objects.objects(kind),
        object: (kind, name) => objects.object(kind, name),
        take: (object) => objects.take(object),
        isStale: (ms) => isStale() || objects.isStale(ms),
      },
      istioNamespace: "istio-system",
      namespace: own,
      port: 0,
      failure,
      files: undefined,
      hosts: ["127.0.0.1"],
      onNote: () => {},
    }),
  );
  await tellApiServer(kubectl, webhook.port, failure);
  const leading = new AbortController();
  const led = webhook.lead(leading.signal);
  stack.defer(async () => {
    leading.abort();
    await led;
  });
  await whenAsked(cluster, kubectl, () => webhook.isReady);
  const running = stack.move();
  return { port: webhook.port, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What deploy/kirikae.yaml says, but that the API server has no network of Services here. */
async function tellApiServer(kubectl: Kubectl, port: number, failure: FailurePolicy): Promise<void> {
  const values = { ...plainValues, namespace: own, failurePolicy: failure === "open" ? "Ignore" : "Fail" };
  const found = buildWebhookObjects(values).find(({ object }) => object.kind === "ValidatingWebhookConfiguration");
  const webhooks = (found?.object.webhooks ?? []).map((webhook) => ({
    ...webhook,
    clientConfig: { url: `https://127.0.0.1:${port}/validate` },
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
  }));
  await kubectl.apply({ ...found?.object, webhooks }, ["--server-side", "--force-conflicts"]);
}

/** The API server reads such configurations from a watch of its own. */
async function whenAsked(cluster: Cluster, kubectl: Kubectl, isReady: () => boolean): Promise<void> {
  const until = Date.now() + 30_000;
  for (;;) {
    const { stderr } = isReady() ? await tryApply(kubectl, routes("probe-of-the-test")) : { stderr: "no certificate" };
    if (stderr.includes("kirikae")) return;
    if (Date.now() > until) throw new Error(`the webhook is not asked: ${stderr} ${cluster.api.kubeconfig}`);
    await delay(200);
  }
}

function tryApply(kubectl: Kubectl, object: object, args: readonly string[] = ["--dry-run=server"]) {
  return kubectl.try(["apply", ...args, "-f", "-"], { input: object });
}

describeCluster("the admission webhook", () => {
  let api: KubeApi;

  test.beforeAll(async ({ cluster, kubectl }) => {
    await cluster.restore();
    await installReleaseKind(kubectl);
    await kubectl.apply([
      ...[own, namespace].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "kirikae", namespace: own } },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: { name: own },
        rules: neededAccess.map(({ group, resources, verbs, names }) => ({
          apiGroups: [group],
          resources,
          verbs,
          ...(names === undefined ? {} : { resourceNames: names }),
        })),
      },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: own },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: own },
        subjects: [{ kind: "ServiceAccount", name: "kirikae", namespace: own }],
      },
      entry,
      rule,
    ]);
    api = await connectAsAccount(cluster, { namespace: own, name: "kirikae" });
  });

  test.afterAll(async ({ kubectl }) => {
    await api[Symbol.asyncDispose]();
    await kubectl.run(["delete", "validatingwebhookconfiguration", "kirikae", "--ignore-not-found"]);
    await kubectl.run(["delete", "clusterrole,clusterrolebinding", own, "--ignore-not-found"]);
    await kubectl.run(["delete", "virtualservice,destinationrule,serviceentry,release", "--all", "-n", namespace]);
    await kubectl.run(["delete", "secret", webhookSecretName, "-n", own, "--ignore-not-found"]);
  });

  test("kubectl apply is refused with the field and the code, and what is right passes", async ({
    cluster,
    kubectl,
  }) => {
    await using stack = new AsyncDisposableStack();
    stack.use(await startReplica({ cluster, api, kubectl }));
    expect(await kubectl.apply(routes("green"))).toContain("created");
    const { exitCode, stderr } = await tryApply(kubectl, routes("purple"), []);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('admission webhook "check.kirikae.dev" denied the request');
    expect(stderr).toMatch(/KIR\d{4} \(IST\d{4}\) VirtualService webhook\/web spec\.http\[0\]\.route\[0\]/u);
    const removal = await kubectl.try(["delete", "destinationrule", "web", "-n", namespace]);
    expect(removal.stderr).toContain("kirikae check finds without it");
    // v1beta1 is the same object to the API server.
    const older = await tryApply(kubectl, { ...routes("purple"), apiVersion: "networking.istio.io/v1beta1" });
    expect(older.stderr).toContain("denied the request");
    // One after the other, faster than any watch.
    await kubectl.run(["delete", "virtualservice,destinationrule,serviceentry", "web", "-n", namespace]);
    await kubectl.apply([entry, rule, routes("blue")]);
  });

  test("a Release is refused where only kirikae can tell", async ({ cluster, kubectl }) => {
    await using stack = new AsyncDisposableStack();
    stack.use(await startReplica({ cluster, api, kubectl }));
    const { stderr } = await tryApply(kubectl, {
      apiVersion: "kirikae.dev/v1alpha1",
      kind: "Release",
      metadata: { name: "to-green", namespace },
      spec: {
        routes: [{ virtualService: "web" }],
        to: "green",
        strategy: { canary: { weights: [10] } },
        freezes: [{ cron: "0 17 * * 5", duration: "63h", timeZone: "Asia/Tokio" }],
      },
    });
    expect(stderr).toContain("Release webhook/to-green spec.freezes[0].timeZone");
    expect(stderr).toContain("Asia/Tokyo");
  });

  test("what cannot be judged passes with a warning, or does not pass, by choice", async ({ cluster, kubectl }) => {
    let isStale = false;
    {
      await using stack = new AsyncDisposableStack();
      stack.use(await startReplica({ cluster, api, kubectl }, { isStale: () => isStale }));
      isStale = true;
      const { exitCode, stderr } = await tryApply(kubectl, routes("purple"));
      expect([exitCode, stderr]).toEqual([0, expect.stringContaining("its copy of the cluster is not complete yet")]);
    }
    // Nobody answers, and the API server has been told to go on.
    expect((await tryApply(kubectl, routes("purple"))).exitCode).toBe(0);
    isStale = false;
    {
      await using stack = new AsyncDisposableStack();
      stack.use(await startReplica({ cluster, api, kubectl }, { failure: "closed", isStale: () => isStale }));
      isStale = true;
      const { exitCode, stderr } = await tryApply(kubectl, routes("green"));
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining("its copy of the cluster is not complete yet")]);
    }
    const { exitCode, stderr } = await tryApply(kubectl, routes("green"));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("failed calling webhook")]);
    // kirikae itself is never kept from a way back.
    const moved = {
      ...routes("blue"),
      metadata: { name: "web", namespace, annotations: { "kirikae.dev/moved-by": "test" } },
    };
    const options = { fieldManager: "kirikae", force: true } as const;
    await expect(api.apply(kubeKinds.virtualService, moved, options)).resolves.toMatchObject({
      kind: "VirtualService",
    });
  });

  test("the certificate is kept in a Secret and taken over by the next replica", async ({ cluster, kubectl }) => {
    const read = async () => (await api.get(kubeKinds.secret, { namespace: own, name: webhookSecretName }))?.["data"];
    const before = await read();
    await using stack = new AsyncDisposableStack();
    stack.use(await startReplica({ cluster, api, kubectl }));
    expect(await read()).toEqual(before);
    const { "tls.crt": certificate = "", "ca.crt": authority = "" } = before as Readonly<Record<string, string>>;
    const issued = new X509Certificate(Buffer.from(certificate, "base64"));
    expect(issued.checkIssued(new X509Certificate(Buffer.from(authority, "base64")))).toBe(true);
    expect(issued.subjectAltName).toContain(`DNS:kirikae.${own}.svc`);
    const config = await api.get(kubeKinds.webhook, { name: "kirikae" });
    expect(JSON.stringify(config)).toContain(authority);
    expect(JSON.stringify(config)).toContain("matchConditions");
  });
});
