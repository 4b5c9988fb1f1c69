import { describe, expect, test } from "vitest";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { buildMesh } from "./build-mesh.ts";
import { findCallers } from "./sidecar-injection.ts";

interface Case {
  readonly what: string;
  readonly namespace?: string;
  readonly labels?: string;
  readonly annotations?: string;
  readonly spec?: string;
  /** A part of the reason; undefined where there is a sidecar. */
  readonly because?: string;
}

const enabled = "istio-injection: enabled";

const cases: readonly Case[] = [
  { what: "a namespace that is labelled", namespace: enabled },
  { what: "a namespace of a revision", namespace: "istio.io/rev: default" },
  {
    what: "a namespace without a label",
    namespace: "team: a",
    because: "does not have the label istio-injection: enabled",
  },
  { what: "no Namespace at all", because: "the manifests hold no Namespace app with the label" },
  { what: "a pod that asks for it", namespace: "team: a", labels: 'sidecar.istio.io/inject: "true"' },
  { what: "a pod of a revision", namespace: "team: a", labels: "istio.io/rev: default" },
  {
    what: "a pod that wants none",
    namespace: enabled,
    labels: 'sidecar.istio.io/inject: "false"',
    because: 'have the label sidecar.istio.io/inject: "false"',
  },
  {
    what: "an annotation that wants none",
    namespace: enabled,
    annotations: 'sidecar.istio.io/inject: "no"',
    because: 'have the annotation sidecar.istio.io/inject: "false"',
  },
  {
    what: "a label that wins over an annotation",
    namespace: enabled,
    labels: 'sidecar.istio.io/inject: "true"',
    annotations: 'sidecar.istio.io/inject: "false"',
  },
  {
    what: "an annotation that is not asked where nothing selects the pod",
    namespace: "team: a",
    annotations: 'sidecar.istio.io/inject: "true"',
    because: "does not have the label istio-injection: enabled",
  },
  {
    what: "a pod that has one, whoever gave it to it",
    annotations: `sidecar.istio.io/status: '{"containers":["istio-proxy"]}'`,
  },
  {
    what: "a namespace that is switched off, whatever its pods say",
    namespace: "istio-injection: disabled",
    labels: 'sidecar.istio.io/inject: "true"',
    because: "has the label istio-injection: disabled",
  },
  { what: "the network of the node", namespace: enabled, spec: "hostNetwork: true,", because: "network of their node" },
];

describe("who has a sidecar", () => {
  test.each(cases)("$what", ({ namespace, labels = "", annotations = "", spec = "", because }) => {
    const callers = callersOf(`
${namespace === undefined ? "" : `apiVersion: v1\nkind: Namespace\nmetadata: { name: app, labels: { ${namespace} } }\n---`}
apiVersion: apps/v1
kind: Deployment
metadata: { name: a, namespace: app }
spec:
  selector: { matchLabels: { app: a } }
  template:
    metadata: { labels: { app: a, ${labels} }, annotations: { ${annotations} } }
    spec: { ${spec} containers: [{ name: a, image: a }] }
`);
    const injection = callers.get("app/a")?.injection;
    if (because === undefined) expect(injection).toEqual({ isInjected: true });
    else expect(injection).toMatchObject({ isInjected: false, reason: expect.stringContaining(because) as string });
  });
});

test("a LocalWorkload takes the place of its Deployment, labels and all, but keeps what that says of the sidecar", () => {
  const callers = callersOf(`
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { ${enabled} } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: a, namespace: app }
spec:
  selector: { matchLabels: { app: a } }
  template:
    metadata: { labels: { app: a, tier: pod, sidecar.istio.io/inject: "false" } }
    spec: { containers: [{ name: a, image: a }] }
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: a, namespace: app }
spec: { labels: { app: a }, addresses: ["127.0.0.1:9"] }
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: b, namespace: app }
spec: { labels: { app: b }, addresses: ["127.0.0.1:9"] }
`);
  expect([...callers.values()].map(({ name, labels, injection }) => [name, labels, injection.isInjected])).toEqual([
    ["app/a", { app: "a" }, false],
    ["app/b", { app: "b" }, true],
  ]);
});

test("pods of a gateway are proxies themselves, and no callers", () => {
  const callers = callersOf(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: ingress, namespace: app }
spec:
  selector: { matchLabels: { app: a } }
  template:
    metadata: { labels: { app: a }, annotations: { inject.istio.io/templates: gateway } }
    spec: { containers: [{ name: a, image: auto }] }
`);
  expect([...callers.keys()]).toEqual([]);
});

function callersOf(text: string) {
  const parsed = parseManifests([{ path: "m.yaml", text }], { defaultNamespace: "default" });
  expect(parsed.diagnostics.filter(({ level }) => level === "error")).toEqual([]);
  return findCallers(buildMesh(parsed.manifests).mesh);
}
