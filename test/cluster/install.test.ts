import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import type { KubeApi } from "../../src/kubernetes/kube-api.ts";
import { kubeKinds } from "../../src/kubernetes/kube-kinds.ts";
import { type AccessScope, neededAccess } from "../../src/kubernetes/needed-access.ts";
import { connectAsAccount } from "./account.ts";
import type { KubeObject } from "./kube-client.ts";
import { waitForReleaseKind } from "./release-kind.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const file = fileURLToPath(new URL("../../deploy/kirikae.yaml", import.meta.url));
const account = { namespace: "kirikae-system", name: "kirikae" };
const identity = `system:serviceaccount:${account.namespace}:${account.name}`;

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** One line for each thing that may be done. */
function flatten(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap(({ verbs, apiGroups, resources, resourceNames = ["*"] }) =>
      verbs.flatMap((verb) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => resourceNames.map((name) => `${verb} ${group}/${resource} ${name}`)),
        ),
      ),
    ),
  );
}

function needed(...scopes: readonly AccessScope[]): readonly Rule[] {
  return neededAccess
    .filter(({ where }) => scopes.includes(where))
    .map(({ verbs, group, resources, names }) => ({
      verbs,
      apiGroups: [group],
      resources,
      ...(names === undefined ? {} : { resourceNames: names }),
    }));
}

describeCluster("deploy/kirikae.yaml", () => {
  let objects: readonly KubeObject[] = [];
  let api: KubeApi;

  test.beforeAll(async ({ cluster, kubectl }) => {
    await cluster.restore();
    objects = parseAllDocuments(await readFile(file, "utf8")).map((document) => document.toJS() as KubeObject);
    const said = await kubectl.run(["apply", "-f", file]);
    expect(said.trim().split("\n")).toHaveLength(objects.length);
    await waitForReleaseKind(kubectl);
    api = await connectAsAccount(cluster, account);
  });

  test.afterAll(async ({ kubectl }) => {
    await api[Symbol.asyncDispose]();
    const others = objects.filter(({ kind }) => kind !== "CustomResourceDefinition" && kind !== "Namespace");
    await kubectl.run(["delete", "--ignore-not-found", "--wait=false", "-f", "-"], {
      input: { apiVersion: "v1", kind: "List", items: others },
    });
  });

  test("is taken again as it is", async ({ kubectl }) => {
    const again = await kubectl.run(["apply", "-f", file]);
    // The selector of a budget is replaced by every patch, the same or not.
    const written = again.split("\n").filter((line) => line !== "" && !line.endsWith(" unchanged"));
    expect(written).toEqual(["poddisruptionbudget.policy/kirikae configured"]);
    // Who has applied it with the other kind of apply meets no conflict: what the API server fills in is written out.
    const server = ["apply", "--server-side", "--dry-run=server", "-f", file];
    expect(await kubectl.run(server)).toContain("deployment.apps/kirikae serverside-applied");
  });

  test("keeps the promises of its pods", () => {
    const deployment = objects.find(({ kind }) => kind === "Deployment");
    expect(deployment).toMatchObject({
      spec: {
        replicas: 2,
        template: {
          spec: {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
            containers: [
              {
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                resources: { limits: { memory: "300Mi" } },
              },
            ],
          },
        },
      },
    });
  });

  test("gives the rights that are needed and no other", async ({ cluster }) => {
    await cluster.client.apply({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "bare", namespace: "team" },
    });
    await using bare = await connectAsAccount(cluster, { namespace: "team", name: "bare" });
    const scopes = [
      { namespace: "team", rules: needed("routes", "cluster") },
      { namespace: "istio-system", rules: needed("routes", "cluster", "istio") },
      { namespace: account.namespace, rules: needed("routes", "cluster", "own") },
    ];
    for (const { namespace, rules } of scopes) {
      // What everybody may do is not of this installation.
      const everybody = await rulesOf(bare, namespace);
      const given = [...(await rulesOf(api, namespace))].filter((each) => !everybody.has(each));
      expect(given.toSorted()).toEqual([...flatten(rules)].toSorted());
    }
  });

  test("a token does what the controller does, and is refused what it does not", async ({ cluster, kubectl }) => {
    const { client } = cluster;
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "theirs", namespace: "team" } } as const;
    await client.apply(secret);
    expect((await api.list(kubeKinds.virtualService)).items).toEqual(expect.any(Array));
    await api.create(kubeKinds.configMap, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kirikae-journal-a", namespace: "team" },
    });
    expect(await api.delete(kubeKinds.configMap, { namespace: "team", name: "kirikae-journal-a" })).toBe(true);
    const refused = { code: "KIR4005" };
    await expect(api.get(kubeKinds.secret, { namespace: "team", name: "theirs" })).rejects.toMatchObject(refused);
    await expect(api.get(kubeKinds.secret, { ...account, name: "another" })).rejects.toMatchObject(refused);
    await expect(api.delete(kubeKinds.pod, { namespace: "istio-system", name: "istiod-1" })).rejects.toMatchObject(
      refused,
    );
    await expect(api.delete(kubeKinds.virtualService, { namespace: "team", name: "any" })).rejects.toMatchObject(
      refused,
    );
    await client.delete(secret);
    for (const what of [
      "create pods",
      "patch deployments",
      "get secrets -n team",
      "escalate clusterroles",
      "list secrets",
    ]) {
      const { stdout } = await kubectl.try(["auth", "can-i", ...what.split(" "), `--as=${identity}`]);
      expect(`${what}: ${stdout.trim()}`).toBe(`${what}: no`);
    }
  });

  test("who may edit a namespace may write its Releases", async ({ kubectl }) => {
    const role = await kubectl.getJson<{ readonly metadata: { readonly labels: object } }>([
      "clusterrole",
      "kirikae-edit",
    ]);
    expect(role.metadata.labels).toMatchObject({ "rbac.authorization.k8s.io/aggregate-to-edit": "true" });
  });
});

async function rulesOf(api: KubeApi, namespace: string): Promise<ReadonlySet<string>> {
  const review = await api.create(
    {
      group: "authorization.k8s.io",
      version: "v1",
      kind: "SelfSubjectRulesReview",
      plural: "selfsubjectrulesreviews",
      isNamespaced: false,
    },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a review has no name, because it is not stored.
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectRulesReview",
      metadata: {} as never,
      spec: { namespace },
    },
  );
  const { resourceRules } = review["status"] as { readonly resourceRules: readonly Rule[] };
  return flatten(resourceRules);
}
