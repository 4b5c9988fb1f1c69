import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvoyAdmin } from "../../src/targets/local-envoy/admin.ts";
import { type ChildProgram, startProgram } from "./child-program.ts";

export interface IstioProxyOptions {
  readonly envoy: string;
  readonly folder: string;
  readonly xds: { readonly address: string; readonly port: number };
  /** What starts it in another network namespace. */
  readonly enter?: readonly string[];
  /** A token of the service account, which makes istiod hand out secrets. */
  readonly token: string;
  readonly role: "router" | "sidecar";
  /** Unique among the proxies of a test, and a part of file names. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** An address of no endpoint: istiod would take that endpoint's labels for the proxy's. */
  readonly address: string;
  /** The address of its pod, where its admin interface is at port 15000 too, as every proxy of Istio has it. */
  readonly podAddress?: string | undefined;
  /** Worker threads; 1 where nothing else is said. */
  readonly concurrency?: number | undefined;
  /** Listeners in the place of those that istiod sends. */
  readonly listeners?: readonly object[];
}

/** An Envoy that takes everything from istiod. */
export interface IstioProxy extends AsyncDisposable {
  /** As istiod's debug pages call it. */
  readonly id: string;
  readonly role: "router" | "sidecar";
  readonly admin: EnvoyAdmin;
  readonly program: ChildProgram;
  readLog(): Promise<string>;
}

/** Where Istio has the admin interface of its proxies. */
const adminPort = 15_000;

export async function startIstioProxy(options: IstioProxyOptions): Promise<IstioProxy> {
  const adminSocket = join(options.folder, `${options.name}.admin`);
  const bootstrap = join(options.folder, `${options.name}.json`);
  await writeFile(bootstrap, JSON.stringify(buildBootstrap(options, adminSocket)), { mode: 0o600 });
  const log = join(options.folder, `${options.name}.log`);
  const program: ChildProgram = startProgram({
    path: options.envoy,
    enter: options.enter ?? [],
    log,
    args: ["-c", bootstrap, "--concurrency", `${options.concurrency ?? 1}`, "--disable-hot-restart"],
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
    program,
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
      clusters: [
        buildControlPlaneCluster(options.xds),
        ...(options.podAddress === undefined ? [] : [buildAdminCluster(adminSocket)]),
      ],
      listeners: [
        ...(options.listeners ?? []),
        ...(options.podAddress === undefined ? [] : [buildAdminListener(options.podAddress)]),
      ],
    },
  };
}

function buildAdminListener(address: string): object {
  const proxy = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    stat_prefix: "admin",
    cluster: "admin-socket",
  };
  return {
    name: "admin-at-pod",
    address: { socket_address: { address, port_value: adminPort } },
    filter_chains: [{ filters: [{ name: "envoy.filters.network.tcp_proxy", typed_config: proxy }] }],
  };
}

function buildAdminCluster(path: string): object {
  return {
    name: "admin-socket",
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: {
      cluster_name: "admin-socket",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
  };
}

function buildControlPlaneCluster({ address, port }: IstioProxyOptions["xds"]): object {
  return {
    name: "xds-grpc",
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: {
      cluster_name: "xds-grpc",
      endpoints: [
        {
          lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: port } } } }],
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
