import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvoyAdmin } from "../../src/targets/local-envoy/admin.ts";
import { type ChildProgram, startProgram } from "./child-program.ts";

export interface IstioProxyOptions {
  readonly envoy: string;
  readonly folder: string;
  readonly xdsPort: number;
  /** A token of the service account, which makes istiod hand out secrets. */
  readonly token: string;
  readonly role: "router" | "sidecar";
  /** Unique among the proxies of a test, and a part of file names. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** An address of no endpoint: istiod would take that endpoint's labels for the proxy's. */
  readonly address: string;
  /** Listeners in the place of those that istiod sends. */
  readonly listeners?: readonly object[];
}

/** An Envoy that takes everything from istiod. */
export interface IstioProxy extends AsyncDisposable {
  /** As istiod's debug pages call it. */
  readonly id: string;
  readonly role: "router" | "sidecar";
  readonly admin: EnvoyAdmin;
  readLog(): Promise<string>;
}

export async function startIstioProxy(options: IstioProxyOptions): Promise<IstioProxy> {
  const adminSocket = join(options.folder, `${options.name}.admin`);
  const bootstrap = join(options.folder, `${options.name}.json`);
  await writeFile(bootstrap, JSON.stringify(buildBootstrap(options, adminSocket)), { mode: 0o600 });
  const log = join(options.folder, `${options.name}.log`);
  const program: ChildProgram = startProgram({
    path: options.envoy,
    log,
    args: ["-c", bootstrap, "--concurrency", "1", "--disable-hot-restart"],
  });
  await using stack = new AsyncDisposableStack();
  stack.use(program);
  const admin = stack.use(new EnvoyAdmin(adminSocket));
  await program.whenReady(async () => (await admin.get("/ready")).startsWith("LIVE"), 30_000);
  const running = stack.move();
  return {
    id: `${options.name}.${options.namespace}`,
    role: options.role,
    admin,
    readLog: () => program.readLog(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function buildBootstrap(options: IstioProxyOptions, adminSocket: string): object {
  const { role, address, name, namespace, labels } = options;
  return {
    node: {
      id: `${role}~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: `${name}.${namespace}`,
      metadata: {
        NAMESPACE: namespace,
        LABELS: labels,
        INSTANCE_IPS: address,
        CLUSTER_ID: "Kubernetes",
        ISTIO_VERSION: "1.31.0",
        // As with Istio's usual installation: its listeners wait for connections that iptables hands over.
        ...(role === "sidecar" ? { INTERCEPTION_MODE: "REDIRECT" } : {}),
      },
    },
    admin: { address: { pipe: { path: adminSocket, mode: 0o600 } } },
    // As in Istio's own bootstrap: Envoy's bound on regular expressions is lifted.
    layered_runtime: {
      layers: [
        { name: "static", static_layer: { "re2.max_program_size.error_level": 32_768 } },
        { name: "admin", admin_layer: {} },
      ],
    },
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        grpc_services: [
          {
            envoy_grpc: { cluster_name: "xds-grpc" },
            initial_metadata: [{ key: "authorization", value: `Bearer ${options.token}` }],
          },
        ],
      },
      cds_config: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" },
      ...(options.listeners === undefined
        ? { lds_config: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" } }
        : {}),
    },
    static_resources: {
      clusters: [buildControlPlaneCluster(options.xdsPort)],
      listeners: options.listeners ?? [],
    },
  };
}

function buildControlPlaneCluster(port: number): object {
  return {
    name: "xds-grpc",
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: {
      cluster_name: "xds-grpc",
      endpoints: [
        {
          lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } }],
        },
      ],
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
}
