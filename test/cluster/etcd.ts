import { join } from "node:path";
import { type ChildProgram, startProgram } from "./child-program.ts";

export interface Etcd extends AsyncDisposable {
  readonly url: string;
}

/** One member on loopback that does not wait for the disk: its data ends with the test. */
export async function startEtcd(options: {
  readonly path: string;
  readonly folder: string;
  readonly ports: readonly [client: number, peer: number];
}): Promise<Etcd> {
  const [url, peers] = options.ports.map((port) => `http://127.0.0.1:${port}`) as [string, string];
  const program: ChildProgram = startProgram({
    path: options.path,
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
  });
  await using stack = new AsyncDisposableStack();
  stack.use(program);
  await program.whenReady(async () => (await fetch(`${url}/health`)).ok, 20_000);
  const running = stack.move();
  return { url, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
