import { leaseName } from "../../src/kubernetes/needed-access.ts";
import { type DeployObject, labels } from "./deploy-object.ts";
import type { DeployValues } from "./deploy-values.ts";

export const webhookPort = 8443;
const healthPort = 8081;
/** Of the memory limit: what the runtime itself needs has to fit beside the heap. */
export const heapPercentage = 50;
/** What lives for a moment is collected sooner than by itself, because it counts as memory until it is. */
export const semiSpace = "--max-semi-space-size=4";

/** Any number above those of a machine's own users; the image names the same. */
const userId = 65_532;

/** What runs: two replicas, of which one works (by the Lease) and both answer the API server's questions. */
export function buildWorkloadObjects(values: DeployValues): readonly DeployObject[] {
  const { namespace } = values;
  const metadata = { name: "kirikae", namespace, labels };
  return [
    {
      file: "deployment",
      object: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata,
        spec: {
          replicas: values.replicas,
          revisionHistoryLimit: 3,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: buildPod(values) },
        },
      },
    },
    {
      file: "disruption",
      comment: "One replica stays while nodes are emptied, so that the API server's questions are answered.",
      object: {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata,
        spec: { minAvailable: 1, selector: { matchLabels: labels }, unhealthyPodEvictionPolicy: "AlwaysAllow" },
      },
    },
    { file: "network", object: buildNetworkPolicy(values) },
  ];
}

function buildPod(values: DeployValues): object {
  const here = { labelSelector: { matchLabels: labels } };
  return {
    serviceAccountName: "kirikae",
    automountServiceAccountToken: true,
    // Time to end the step that is being proved, and to give the Lease back.
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: userId,
      runAsGroup: userId,
      fsGroup: userId,
      seccompProfile: { type: "RuntimeDefault" },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway", ...here },
    ],
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, podAffinityTerm: { topologyKey: "kubernetes.io/hostname", ...here } },
        ],
      },
    },
    containers: [buildContainer(values)],
    volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
  };
}

function buildContainer(values: DeployValues): object {
  return {
    name: "kirikae",
    image: values.image,
    imagePullPolicy: values.imagePullPolicy,
    args: [
      "controller",
      `--lease-name=${leaseName}`,
      `--istio-namespace=${values.istioNamespace}`,
      `--health-port=${healthPort}`,
      "--log=json",
      ...values.arguments,
    ],
    env: [
      { name: "POD_NAME", valueFrom: fieldOfPod("metadata.name") },
      { name: "POD_NAMESPACE", valueFrom: fieldOfPod("metadata.namespace") },
      { name: "HOME", value: "/tmp" },
      { name: "KIRIKAE_STATE", value: "/tmp/kirikae" },
      { name: "NODE_OPTIONS", value: `--max-old-space-size-percentage=${heapPercentage} ${semiSpace}` },
    ],
    ports: [
      { name: "webhook", containerPort: webhookPort, protocol: "TCP" },
      { name: "health", containerPort: healthPort, protocol: "TCP" },
    ],
    startupProbe: { ...probe("/healthz"), periodSeconds: 2, failureThreshold: 60 },
    livenessProbe: { ...probe("/healthz"), periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: { ...probe("/readyz"), periodSeconds: 5 },
    resources: values.resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
  };
}

/** The version is what the API server fills in, which a server-side apply after a client-side one takes for another's. */
function fieldOfPod(fieldPath: string): object {
  return { fieldRef: { apiVersion: "v1", fieldPath } };
}

function buildNetworkPolicy({ namespace, istioNamespace, moreEgress }: DeployValues) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "kirikae", namespace, labels },
    spec: {
      podSelector: { matchLabels: labels },
      policyTypes: ["Ingress", "Egress"],
      // The API server and the kubelet are in no namespace, so their addresses cannot be named here.
      ingress: [{ ports: [tcp(webhookPort), tcp(healthPort)] }],
      egress: [
        { ports: [{ protocol: "UDP", port: 53 }, tcp(53)] },
        // The API server, on the ports that it has in clusters.
        { ports: [tcp(443), tcp(6443)] },
        // istiod, and the gateways, through which a release may send requests of its own.
        { to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": istioNamespace } } }] },
        ...moreEgress,
      ],
    },
  };
}

function probe(path: string) {
  return { httpGet: { path, port: "health" }, timeoutSeconds: 5 };
}

function tcp(port: number): object {
  return { protocol: "TCP", port };
}
