import { setTimeout as delay } from "node:timers/promises";
import { type KubeClient, type KubeObject, KubeRefusal } from "./kube-client.ts";

export interface OtherToolOptions {
  readonly client: KubeClient;
  /** The object that it carries out, a Rollout or a Canary; without it there is nothing to do. */
  readonly source: KubeObject;
  readonly carryOut: (client: KubeClient, source: KubeObject) => Promise<void>;
}

const pauseMs = 100;

/** Another tool that moves weights, as far as its writes go: it sets back what differs, again and again. */
export class OtherTool implements AsyncDisposable {
  readonly #options: OtherToolOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #rounds = 0;

  constructor(options: OtherToolOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  /** Returns when it has looked at everything once more. */
  async whenLooked(): Promise<void> {
    const wanted = this.#rounds + 2;
    while (this.#rounds < wanted) await delay(pauseMs / 2);
  }

  async #run(): Promise<void> {
    const { client, source, carryOut } = this.#options;
    while (!this.#stop.signal.aborted) {
      const found = await client.find(source);
      try {
        if (found !== undefined) await carryOut(client, found);
      } catch (error) {
        // Somebody else has written in between; controllers try again.
        if (!(error instanceof KubeRefusal) || error.status !== 409) throw error;
      }
      this.#rounds += 1;
      await delay(pauseMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

/** Deletes it as `kubectl delete --cascade=orphan` does, where no garbage collector runs: what it owns loses its owner. */
export async function orphan(client: KubeClient, source: KubeObject, owned: readonly KubeObject[]): Promise<void> {
  for (const object of owned) {
    const found = await client.find(object);
    if (found?.metadata["ownerReferences"] === undefined) continue;
    await client.replace({ ...found, metadata: { ...found.metadata, ownerReferences: [] } }, "kube-controller-manager");
  }
  const found = await client.find(source);
  if (found !== undefined) await client.replace({ ...found, metadata: { ...found.metadata, finalizers: [] } });
}
