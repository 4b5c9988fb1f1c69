import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ChildProgram, startProgram } from "./child-program.ts";

/** One connected proxy as `/debug/syncz` shows it; only what is read here. */
interface ProxySync {
  readonly proxy: string;
  readonly resources?: Readonly<
    Record<string, { readonly sent?: string; readonly acked?: string; readonly lastError?: string }>
  >;
}

export interface Istiod extends AsyncDisposable {
  /** Plain gRPC for proxies. */
  readonly xdsPort: number;
  /** What a debug page answers, such as `/debug/syncz`. */
  debug(page: string): Promise<unknown>;
  readSync(): Promise<readonly ProxySync[]>;
  readLog(): Promise<string>;
}

export interface IstiodOptions {
  readonly path: string;
  readonly folder: string;
  readonly kubeconfig: string;
  readonly ports: readonly [http: number, xds: number, monitoring: number];
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

/** Istio's control plane on loopback. Proxies show who they are with a token: it gives secrets to nobody else. */
export async function startIstiod(options: IstiodOptions): Promise<Istiod> {
  const [http, xds, monitoring] = options.ports;
  const { folder } = options;
  const meshConfig = join(folder, "mesh.json");
  const networks = join(folder, "networks.json");
  await writeFile(meshConfig, JSON.stringify({ enableAutoMtls: false, ...options.meshConfig }));
  await writeFile(networks, "{}");
  const program: ChildProgram = startProgram({
    path: options.path,
    log: join(folder, "istiod.log"),
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      POD_NAMESPACE: "istio-system",
      POD_NAME: "istiod-local",
      XDS_AUTH_PLAINTEXT: "true",
      ...stockEnvoy,
    },
    args: [
      "discovery",
      "--registries=Kubernetes",
      `--kubeconfig=${options.kubeconfig}`,
      `--meshConfig=${meshConfig}`,
      `--networksConfig=${networks}`,
      `--httpAddr=127.0.0.1:${http}`,
      "--httpsAddr=",
      `--grpcAddr=127.0.0.1:${xds}`,
      "--secureGRPCAddr=",
      `--monitoringAddr=127.0.0.1:${monitoring}`,
      "--ctrlz_port=0",
    ],
  });
  await using stack = new AsyncDisposableStack();
  stack.use(program);
  const root = `http://127.0.0.1:${http}`;
  await program.whenReady(async () => (await fetch(`${root}/ready`)).ok, 60_000);
  const debug = async (page: string): Promise<unknown> => {
    const answer = await fetch(root + page);
    if (!answer.ok) throw new Error(`istiod answers ${answer.status} to ${page}: ${await answer.text()}`);
    return answer.json();
  };
  const running = stack.move();
  return {
    xdsPort: xds,
    debug,
    readLog: () => program.readLog(),
    readSync: async () => (await debug("/debug/syncz")) as readonly ProxySync[],
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
