import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import type { KubeKind, KubeObject } from "../../../kubernetes/kube-object.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { PodPlace } from "../../../kubernetes/pod-reach.ts";
import { limitAddresses } from "../../../local/limit-addresses.ts";
import { openGatewayWays } from "./gateway-ways.ts";
import { ListedObjects } from "../objects/site-objects.ts";
import { SiteMesh } from "../mesh/site-mesh.ts";

const labels = { istio: "edge" };

const gateway: KubeObject = {
  apiVersion: "networking.istio.io/v1",
  kind: "Gateway",
  metadata: { name: "public", namespace: "edge" },
  spec: { selector: labels, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] },
};

function pod(name: string, isReady = true): KubeObject {
  const status = { phase: "Running", conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] };
  const containers = [{ name: "proxy", ports: [{ name: "web", containerPort: 8081 }] }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "edge", labels: { ...labels, app: "gateway" } },
    spec: { containers },
    status,
  };
}

function service(targetPort: number | string, ingress: readonly { readonly ip: string }[] = []): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "gateway", namespace: "edge" },
    spec: { selector: { app: "gateway" }, ports: [{ port: 80, targetPort }] },
    status: { loadBalancer: { ingress } },
  };
}

interface Site {
  readonly pods?: readonly KubeObject[];
  readonly services?: readonly KubeObject[];
  readonly named?: Readonly<Record<string, string>>;
  readonly isLimited?: boolean;
}

function open({ pods = [], services = [], named = {}, isLimited = false }: Site) {
  const objects = new ListedObjects();
  const add = (kind: KubeKind, all: readonly KubeObject[]) => objects.add(kind, all);
  add(kubeKinds.gateway, [gateway]);
  add(kubeKinds.pod, pods);
  add(kubeKinds.service, services);
  const mesh = new SiteMesh({ context: "c", objects, defaultNamespace: "default", istioNamespace: "istio-system" });
  const opened: PodPlace[] = [];
  const openPort = (place: PodPlace) => {
    opened.push(place);
    return Promise.resolve(new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() }));
  };
  const [listener] = mesh.table.listeners;
  const ways = openGatewayWays(
    [{ context: "c", mesh, api: { openPort }, named: new Map(Object.entries(named)) }],
    isLimited ? limitAddresses({ allowed: [] }) : undefined,
  );
  return { place: ways.locate(listener?.id ?? "none"), ways };
}

test("a name that was given comes before all that the cluster says", () => {
  const balanced = { pods: [pod("one")], services: [service(8080, [{ ip: "192.0.2.1" }])] };
  expect(open({ ...balanced, named: { "edge/public": "127.0.0.1:9000" } }).place).toEqual({
    address: "127.0.0.1",
    port: 9000,
  });
  expect(open({ named: { "edge/public:80": "[::1]:9000", "edge/public": "127.0.0.1:1" } }).place).toEqual({
    address: "::1",
    port: 9000,
  });
  expect(open({ ...balanced, named: { "edge/public:443": "127.0.0.1:9000" } }).place).toEqual({
    address: "192.0.2.1",
    port: 80,
  });
});

test("a load balancer is found by the pods that its Service selects", () => {
  const site = { pods: [pod("one")], services: [service(8080), service(8080, [{ ip: "192.0.2.7" }])] };
  expect(open(site).place).toEqual({ address: "192.0.2.7", port: 80 });
});

test.each([
  ["a number", [service(8080)], 8080],
  ["the name of a container's port", [service("web")], 8081],
  ["no Service", [], 80],
] as const)("without one, a pod that is ready is forwarded to: %s", (_name, services, port) => {
  const { place, ways } = open({ pods: [pod("away", false), pod("here")], services });
  expect(place).toMatchObject({ address: "here.edge", port });
  ways[Symbol.dispose]();
});

function balancedAt(ip: string): Site {
  return { pods: [pod("one")], services: [service(8080, [{ ip }])] };
}

test("a load balancer that somebody says is the machine of a controller is not asked", () => {
  for (const ip of ["169.254.169.254", "::1"]) {
    const { place, ways } = open({ ...balancedAt(ip), isLimited: true });
    expect(place).toMatchObject({ address: "one.edge", port: 8080 });
    ways[Symbol.dispose]();
  }
  expect(open({ ...balancedAt("192.0.2.7"), isLimited: true }).place).toMatchObject({ address: "192.0.2.7", port: 80 });
});

test("where nothing leads to it, it says what would", () => {
  expect(open({ pods: [pod("away", false)] }).place).toBe(
    "neither a load balancer nor a pod that is ready is known of edge/public; --gateway-address names where it is reached",
  );
});
