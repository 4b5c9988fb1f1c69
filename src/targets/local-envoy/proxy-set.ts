import { setTimeout as delay } from "node:timers/promises";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { EnvoyAdmin } from "./admin.ts";
import type { LocalProxy } from "./local-proxy.ts";
import { WorkerProof } from "./worker-proof.ts";

export interface ConnectedProxy {
  readonly node: string;
  readonly proxy: LocalProxy;
  readonly admin: EnvoyAdmin;
  readonly proof: WorkerProof;
}

/** The admin and proof connections of every proxy of the target. */
export class ProxySet implements Disposable {
  readonly all: readonly ConnectedProxy[];
  #isDisposed = false;

  constructor(proxies: readonly LocalProxy[]) {
    this.all = proxies.map((proxy) => {
      const admin = new EnvoyAdmin(proxy.adminSocket);
      return { node: proxy.node, proxy, admin, proof: new WorkerProof(admin, proxy.proofSocket) };
    });
  }

  named(nodes: readonly string[]): readonly ConnectedProxy[] {
    return this.all.filter(({ node }) => nodes.includes(node));
  }

  /** What every proxy answers that can be asked now. */
  async ask<Answer>(question: (proxy: ConnectedProxy) => Promise<Answer>): Promise<readonly Answer[]> {
    const answers = await Promise.all(this.all.map((proxy) => askIfRunning(proxy, question)));
    return answers.flatMap((answer) => (answer.kind === "answer" ? [answer.value] : []));
  }

  /**
   * Waits until clusters are out of warming: only then do workers know them. One that has ended is asked again when it
   * is back. False when one did not say so in time, or while it was worth waiting for.
   */
  async waitUntilWarm(
    proxies: readonly ConnectedProxy[],
    wait: { readonly deadlineMs: number; isHopeless(): boolean },
  ): Promise<boolean> {
    const isOver = () => this.#isDisposed || performance.now() > wait.deadlineMs || wait.isHopeless();
    const warm = await Promise.all(proxies.map((proxy) => isWarmInTime(proxy, isOver)));
    return warm.every(Boolean);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const { admin, proof } of this.all) {
      proof[Symbol.dispose]();
      admin[Symbol.dispose]();
    }
  }
}

type MaybeAnswer<Answer> = { readonly kind: "answer"; readonly value: Answer } | { readonly kind: "none" };

async function askIfRunning<Answer>(
  proxy: ConnectedProxy,
  question: (proxy: ConnectedProxy) => Promise<Answer>,
): Promise<MaybeAnswer<Answer>> {
  try {
    return { kind: "answer", value: await question(proxy) };
  } catch (error) {
    if (error instanceof KirikaeError && error.code === "KIR3004") return { kind: "none" };
    throw error;
  }
}

async function isWarmInTime(proxy: ConnectedProxy, isOver: () => boolean): Promise<boolean> {
  for (;;) {
    const answer = await askIfRunning(proxy, ({ admin }) => admin.gauge("cluster_manager.warming_clusters"));
    if (answer.kind === "answer" && answer.value === 0) return true;
    if (isOver()) return false;
    await delay(5);
  }
}
