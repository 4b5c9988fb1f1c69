import type { KubeObject } from "./kube-client.ts";

/** One replica of one version. */
export interface SiteEndpoint {
  readonly version: string;
  readonly address: string;
  readonly port: number;
}

export interface AppShape {
  readonly namespace: string;
  readonly versions: readonly string[];
  readonly endpoints: readonly SiteEndpoint[];
  /** As a mesh without pods has it, or as Kubernetes has it; the API takes loopback addresses for the former only. */
  readonly registry: "serviceEntry" | "service";
  /** Whether a rule of its own leads testers to the last version. A switch turns such a rule round. */
  readonly hasPreview: boolean;
}

const istio = "networking.istio.io/v1";

/** The port of the app's service. */
export const appPort = 8000;

export function appHostOf({ namespace, registry }: Pick<AppShape, "namespace" | "registry">): string {
  return registry === "service" ? `app.${namespace}.svc.cluster.local` : `app.${namespace}.test`;
}

/** What clients ask the gateway for. */
export function publicHostOf(namespace: string): string {
  return `${namespace}.example.com`;
}

/** The app as a team has it: a Gateway, a VirtualService with a preview rule, and a DestinationRule with its subsets. */
export function buildApp(shape: AppShape): readonly KubeObject[] {
  const { namespace } = shape;
  const metadata = { name: "app", namespace };
  return [
    ...(shape.registry === "service" ? buildService(shape) : [buildServiceEntry(shape)]),
    buildDestinationRule(shape),
    {
      apiVersion: istio,
      kind: "Gateway",
      metadata,
      spec: {
        selector: { istio: namespace },
        servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: [publicHostOf(namespace)] }],
      },
    },
    buildVirtualService(shape),
  ];
}

export function buildDestinationRule(shape: AppShape): KubeObject {
  return {
    apiVersion: istio,
    kind: "DestinationRule",
    metadata: { name: "app", namespace: shape.namespace },
    spec: { host: appHostOf(shape), subsets: shape.versions.map((name) => ({ name, labels: { version: name } })) },
  };
}

/** The first version has everything, unless `weights` say otherwise. */
export function buildVirtualService(
  shape: AppShape,
  weights: Readonly<Record<string, number>> = { [shape.versions[0] ?? ""]: 100 },
): KubeObject {
  const host = appHostOf(shape);
  const to = (subset: string) => ({ destination: { host, subset, port: { number: appPort } } });
  const last = shape.versions.at(-1) ?? "";
  const arms = Object.keys(weights).concat(shape.versions.filter((version) => weights[version] === undefined));
  return {
    apiVersion: istio,
    kind: "VirtualService",
    metadata: { name: "app", namespace: shape.namespace },
    spec: {
      hosts: [publicHostOf(shape.namespace)],
      gateways: ["app"],
      http: [
        ...(shape.hasPreview
          ? [{ name: "preview", match: [{ headers: { "x-preview": { exact: last } } }], route: [to(last)] }]
          : []),
        { name: "public", route: arms.map((version) => ({ ...to(version), weight: weights[version] ?? 0 })) },
      ],
    },
  };
}

function buildServiceEntry(shape: AppShape): KubeObject {
  return {
    apiVersion: istio,
    kind: "ServiceEntry",
    metadata: { name: "app", namespace: shape.namespace },
    spec: {
      hosts: [appHostOf(shape)],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: appPort, name: "http", protocol: "HTTP" }],
      endpoints: shape.endpoints.map(({ version, address, port }) => ({
        address,
        ports: { http: port },
        labels: { app: "app", version },
      })),
    },
  };
}

/** Without a controller that would make it: the slice is written here, and one port is all that its ports can be. */
function buildService({ namespace, endpoints }: AppShape): readonly KubeObject[] {
  const metadata = { name: "app", namespace };
  const port = endpoints[0]?.port ?? appPort;
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: { app: "app" }, ports: [{ name: "http", port: appPort, targetPort: port }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": "app" } },
      addressType: "IPv4",
      ports: [{ name: "http", port, protocol: "TCP" }],
      endpoints: endpoints.map(({ version, address }, index) => ({
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: "node-1",
        targetRef: { kind: "Pod", name: `app-${version}-${index}`, namespace },
      })),
    },
  ];
}

/** The way into one gateway pod: istiod translates port 80 for the pods that a Service selects. */
export function buildGatewayService(namespace: string, name: string, targetPort: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector: { "kirikae.test/gateway": name }, ports: [{ name: "http", port: 80, targetPort }] },
  };
}
