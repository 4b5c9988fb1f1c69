import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { issueCertificate } from "../certificates.fixture.ts";
import type { KubeClient, KubeObject } from "./kube-client.ts";
import type { NetworkPlace } from "./network-place.ts";
import { ServiceProgram } from "./service-program.ts";

export interface PodRequest {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string;
  /** True where nothing else is said. */
  readonly isReady?: boolean;
}

export interface PodsOptions {
  /** Of the built kubelet. */
  readonly path: string;
  readonly folder: string;
  readonly place: NetworkPlace;
  readonly port: number;
  readonly client: KubeClient;
}

const nodeName = "node-1";

/**
 * One node, whose kubelet forwards ports and runs nothing: what is said of its pods is written here, as a kubelet would
 * write it, and the programs that play them listen at their addresses.
 */
export class Pods {
  readonly kubelet: ServiceProgram;
  readonly #client: KubeClient;
  readonly #book: string;
  readonly #addresses = new Map<string, string>();

  private constructor(kubelet: ServiceProgram, client: KubeClient, book: string) {
    this.kubelet = kubelet;
    this.#client = client;
    this.#book = book;
  }

  static async start({ path, folder, place, port, client }: PodsOptions): Promise<Pods> {
    const book = join(folder, "pods.json");
    await writeFile(book, "{}");
    const { certificate, key } = issueCertificate({ name: nodeName, hosts: [nodeName] });
    const files = { certificate: join(folder, "kubelet.crt"), key: join(folder, "kubelet.key") };
    await writeFile(files.certificate, certificate);
    await writeFile(files.key, key, { mode: 0o600 });
    const log = join(folder, "kubelet.log");
    const kubelet = await ServiceProgram.start({
      path,
      enter: place.enter,
      log,
      args: [
        `--listen=${place.host}:${port}`,
        `--certificate=${files.certificate}`,
        `--key=${files.key}`,
        `--pods=${book}`,
      ],
      probe: () => accepts(place.host, port),
      readyWithinMs: 20_000,
    });
    await client.apply(buildNode(place.host, port));
    return new Pods(kubelet, client, book);
  }

  /** Creates a pod that runs here, or puts it in the place of the one with its name. */
  async add(request: PodRequest): Promise<void> {
    const { namespace, name, labels, address } = request;
    this.#addresses.set(`${namespace}/${name}`, address);
    await this.#writeBook();
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels },
      spec: { nodeName, containers: [{ name: "main", image: "none" }] },
    };
    await this.#client.deleteIfThere(pod);
    const created = await this.#client.create(pod);
    await this.#client.replaceStatus({ ...created, status: buildStatus(address, request.isReady ?? true) });
  }

  async remove(namespace: string, name: string): Promise<void> {
    this.#addresses.delete(`${namespace}/${name}`);
    await this.#writeBook();
    await this.#client.deleteIfThere({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace } });
  }

  async #writeBook(): Promise<void> {
    await writeFile(this.#book, JSON.stringify(Object.fromEntries(this.#addresses)));
  }
}

function buildNode(address: string, port: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: nodeName },
    status: {
      addresses: [{ type: "InternalIP", address }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

function buildStatus(address: string, isReady: boolean): object {
  const status = isReady ? "True" : "False";
  return {
    phase: "Running",
    podIP: address,
    podIPs: [{ ip: address }],
    conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({ type, status })),
    containerStatuses: [
      { name: "main", image: "none", imageID: "none", ready: isReady, restartCount: 0, state: { running: {} } },
    ],
  };
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
