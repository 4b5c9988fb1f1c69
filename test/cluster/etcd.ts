import { join } from "node:path";
import type { NetworkPlace } from "./network-place.ts";
import { ServiceProgram } from "./service-program.ts";

export interface Etcd {
  readonly url: string;
  readonly program: ServiceProgram;
}

/** One member that does not wait for the disk: its data ends with the test. */
export async function startEtcd(options: {
  readonly path: string;
  readonly folder: string;
  readonly place: NetworkPlace;
  readonly ports: readonly [client: number, peer: number];
}): Promise<Etcd> {
  const { place } = options;
  const [url, peers] = options.ports.map((port) => `http://${place.host}:${port}`) as [string, string];
  const program = await ServiceProgram.start({
    path: options.path,
    enter: place.enter,
    log: join(options.folder, "etcd.log"),
    args: [
      `--data-dir=${join(options.folder, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      "--unsafe-no-fsync",
      "--logger=zap",
      "--log-level=warn",
    ],
    probe: async () => (await fetch(`${url}/health`)).ok,
    readyWithinMs: 20_000,
  });
  return { url, program };
}
