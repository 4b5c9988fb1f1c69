import * as fc from "fast-check";
import { issueCertificate } from "../certificates.fixture.ts";
import { credentials } from "./gateway-spec.ts";
import { seldom, sometimes, withoutAbsent } from "./sometimes.ts";

/** Every place that a generated rule can send to. */
export const upstreams = [
  "u0",
  "u1-blue",
  "u1-green",
  "u2-blue",
  "u2-green",
  "u3",
  "u4-a",
  "u4-b",
  "u4-c",
  "k0",
  "t0",
] as const;
export type Upstream = (typeof upstreams)[number];

const firstPort = 7000;

/** What manifests say where an upstream is; whoever runs a case gives it a port of this machine. */
export function writtenPort(upstream: Upstream): number {
  return firstPort + upstreams.indexOf(upstream);
}

export function upstreamAt(port: number): Upstream | undefined {
  return upstreams[port - firstPort];
}

/** Services with subsets, several ports, several endpoints and none, and callers inside the mesh. */
export function meshServices(): fc.Arbitrary<readonly object[]> {
  return fc
    .record({
      hashKey: fc.option(hashKeys, { nil: undefined, freq: 3 }),
      maglev: fc.boolean(),
      sidecar: seldom(sidecars),
      ingress: seldom(ingresses),
      meshMode: sometimes(fc.constantFrom("ALLOW_ANY", "REGISTRY_ONLY")),
    })
    .map(({ hashKey, maglev, sidecar, ingress, meshMode }) => [
      entry("u0", [{ number: 80, name: "http-80" }, httpPort]),
      entry("u1", [httpPort]),
      entry("u2", [httpPort]),
      entry("u3", [httpPort]),
      entry("u4", [httpPort]),
      subsets("u1"),
      subsets("u2", { name: "empty", labels: { version: "none" } }),
      ...(hashKey === undefined
        ? []
        : [hashing("u4", { ...hashKey, ...(maglev ? { maglev: { tableSize: 1009 } } : {}) })]),
      entry("t0", [{ number: 9000, name: "tcp", protocol: "TCP" }]),
      ...kubernetesService,
      ...(sidecar === undefined ? [] : [manifest("Sidecar", { name: "default" }, sidecar)]),
      ...(ingress === undefined ? [] : [ingress]),
      ...(meshMode === undefined ? [] : [meshConfig(meshMode)]),
      ...callers,
      ...secrets,
    ]);
}

/** The header is the only key by which a test can say that two requests belong together. */
const hashKeys = fc.constantFrom<object>(
  { httpHeaderName: "x-key" },
  { httpHeaderName: "x-key" },
  { httpQueryParameterName: "p" },
  { useSourceIp: true },
  { httpCookie: { name: "c", ttl: "0s" } },
);

const sidecars = fc
  .record({
    egress: fc.constantFrom<object[]>(
      [{ hosts: ["./*"] }],
      [{ hosts: ["default/u1.default.svc.cluster.local", "team/*"] }],
      [
        { port: { number: 8080, name: "http", protocol: "HTTP" }, hosts: ["*/u0.default.svc.cluster.local"] },
        { hosts: ["*/*"] },
      ],
      [{ hosts: ["*/*", "~default/u2.default.svc.cluster.local"] }],
    ),
    outboundTrafficPolicy: sometimes(
      fc.constantFrom<object>(
        { mode: "REGISTRY_ONLY" },
        { mode: "ALLOW_ANY" },
        { mode: "ALLOW_ANY", egressProxy: { host: "u3.default.svc.cluster.local", port: { number: 8080 } } },
      ),
    ),
    workloadSelector: sometimes(fc.constant({ labels: { app: "client" } })),
  })
  .map(withoutAbsent);

/** The only objects whose paths end at a slash. */
const ingresses = fc
  .record({
    host: fc.constantFrom("a.x.com", "*.x.com", "b.x.com", undefined),
    paths: fc.array(
      fc.record({
        path: fc.constantFrom("/", "/a", "/a/", "/a/b", "/b"),
        pathType: fc.constantFrom("Prefix", "Exact", "ImplementationSpecific"),
        backend: fc.constantFrom(80, 9000, 1).map((number) => ({ service: { name: "k0", port: { number } } })),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ host, paths }) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "in", namespace: "default" },
    spec: { ingressClassName: "istio", rules: [withoutAbsent({ host, http: { paths } })] },
  }));

const httpPort = { number: 8080, name: "http" };

function entry(host: string, ports: readonly { number: number; name: string; protocol?: string }[]): object {
  return manifest(
    "ServiceEntry",
    { name: host },
    {
      hosts: [`${host}.default.svc.cluster.local`],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: ports.map((port) => ({ protocol: "HTTP", ...port })),
      endpoints: membersOf(host).map((name) => ({
        address: "127.0.0.1",
        ports: Object.fromEntries(ports.map((port) => [port.name, writtenPort(name)])),
        labels: { version: name.slice(host.length + 1) || "only" },
      })),
    },
  );
}

function subsets(host: string, ...others: readonly object[]): object {
  return manifest(
    "DestinationRule",
    { name: host },
    {
      host,
      subsets: [
        ...membersOf(host).map((name) => {
          const version = name.slice(host.length + 1);
          return { name: version, labels: { version } };
        }),
        ...others,
      ],
    },
  );
}

function hashing(host: string, consistentHash: object): object {
  return manifest("DestinationRule", { name: host }, { host, trafficPolicy: { loadBalancer: { consistentHash } } });
}

function membersOf(host: string): readonly Upstream[] {
  return upstreams.filter((name) => name === host || name.startsWith(`${host}-`));
}

/** One of Kubernetes, because it has short names. */
const kubernetesService: readonly object[] = [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "k0", namespace: "default" },
    spec: {
      ports: [
        { name: "http", port: 80 },
        { name: "tcp", port: 9000 },
      ],
    },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "k0-1", namespace: "default", labels: { "kubernetes.io/service-name": "k0" } },
    addressType: "IPv4",
    ports: ["http", "tcp"].map((name) => ({ name, port: writtenPort("k0") })),
    endpoints: [{ addresses: ["127.0.0.1"] }],
  },
];

/** Workloads with a sidecar, as `from` names them. */
export const callerNames = ["default/client", "team/other"] as const;

const callers: readonly object[] = callerNames.flatMap((caller) => {
  const [namespace = "", name = ""] = caller.split("/");
  const labels = { app: name };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { "istio-injection": "enabled" } } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels } } },
    },
  ];
});

function meshConfig(mode: string): object {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "istio", namespace: "istio-system" },
    data: { mesh: `outboundTrafficPolicy: {mode: ${mode}}\n` },
  };
}

const yearMs = 365 * 86_400_000;

/** Made anew for every run: a certificate that is kept gets old. */
const secrets: readonly object[] = credentials
  .filter((name) => name !== "gone")
  .map((name) => {
    const validity = [new Date(Date.now() - yearMs), new Date(Date.now() + yearMs)] as const;
    const { certificate, key } = issueCertificate({ name, hosts: ["*.x.com"], validity });
    return {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/tls",
      metadata: { name, namespace: "istio-system" },
      data: { "tls.crt": btoa(certificate), "tls.key": btoa(key) },
    };
  });

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly creationTimestamp?: string;
}

/** An object of Istio's, in namespace `default` where none is named. */
export function manifest(kind: string, metadata: Metadata, spec: object): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind,
    metadata: { namespace: "default", ...metadata },
    spec,
  };
}
