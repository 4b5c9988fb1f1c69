import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NetworkPlace } from "./network-place.ts";
import { ServiceProgram } from "./service-program.ts";

/** One connected proxy as `/debug/syncz` shows it; only what is read here. */
interface ProxySync {
  readonly proxy: string;
  readonly resources?: Readonly<
    Record<string, { readonly sent?: string; readonly acked?: string; readonly lastError?: string }>
  >;
}

export interface Istiod {
  /** Of its pod. */
  readonly name: string;
  readonly program: ServiceProgram;
  /** Where its debug pages are: `http://127.1.2.3:15014`. */
  readonly url: string;
  /** Plain gRPC for proxies. */
  readonly xds: { readonly address: string; readonly port: number };
  /** What a debug page answers, such as `/debug/syncz`. */
  debug(page: string): Promise<unknown>;
  readSync(): Promise<readonly ProxySync[]>;
  readLog(): Promise<string>;
}

export interface IstiodOptions {
  readonly path: string;
  readonly folder: string;
  readonly kubeconfig: string;
  readonly name: string;
  readonly place: NetworkPlace;
  /** Of its own, because it listens at the ports that istiod always listens at. */
  readonly address: string;
  /** Fields of MeshConfig beside those that a stock Envoy needs. */
  readonly meshConfig?: object;
}

/**
 * What a stock Envoy needs: it lacks Istio's own filters and refuses listeners with them; without a certificate
 * authority, mutual TLS that istiod turns on by itself would keep clusters warming for ever.
 */
const stockEnvoy = {
  ENABLE_CA_SERVER: "false",
  PILOT_CERT_PROVIDER: "none",
  PILOT_ENABLE_METADATA_EXCHANGE: "false",
  PILOT_ENABLE_ALPN_FILTER: "false",
};

const ports = { http: 8080, xds: 15_010, monitoring: 15_014 } as const;

/** Istio's control plane. Proxies show who they are with a token: it gives secrets to nobody else. */
export async function startIstiod(options: IstiodOptions): Promise<Istiod> {
  const { folder, name, address } = options;
  const meshConfig = join(folder, `${name}.mesh.json`);
  const networks = join(folder, "networks.json");
  await writeFile(meshConfig, JSON.stringify({ enableAutoMtls: false, ...options.meshConfig }));
  await writeFile(networks, "{}");
  const url = `http://${address}:${ports.monitoring}`;
  const program = await ServiceProgram.start({
    path: options.path,
    enter: options.place.enter,
    log: join(folder, `${name}.log`),
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      POD_NAMESPACE: "istio-system",
      POD_NAME: name,
      XDS_AUTH_PLAINTEXT: "true",
      ...stockEnvoy,
    },
    args: [
      "discovery",
      "--registries=Kubernetes",
      `--kubeconfig=${options.kubeconfig}`,
      `--meshConfig=${meshConfig}`,
      `--networksConfig=${networks}`,
      `--httpAddr=${address}:${ports.http}`,
      "--httpsAddr=",
      `--grpcAddr=${address}:${ports.xds}`,
      "--secureGRPCAddr=",
      `--monitoringAddr=${address}:${ports.monitoring}`,
      "--ctrlz_port=0",
    ],
    probe: async () => (await fetch(`http://${address}:${ports.http}/ready`)).ok,
    readyWithinMs: 60_000,
  });
  const debug = async (page: string): Promise<unknown> => {
    const answer = await fetch(url + page);
    if (!answer.ok) throw new Error(`istiod answers ${answer.status} to ${page}: ${await answer.text()}`);
    return answer.json();
  };
  return {
    name,
    program,
    url,
    xds: { address, port: ports.xds },
    debug,
    readLog: () => program.readLog(),
    readSync: async () => (await debug("/debug/syncz")) as readonly ProxySync[],
  };
}
