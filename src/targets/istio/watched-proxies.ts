import type { SyncedType } from "../../core/site/read-sync.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import type { ApiPatience } from "./api-patience.ts";
import type { Baseline, ProofParts } from "./baseline.ts";
import type { ControlPlaneReading, ListedProxy } from "./control-plane.ts";
import type { Evidence } from "./evidence.ts";
import { isNoAnswer } from "./is-no-answer.ts";
import { listStrangers } from "./listed-strangers.ts";
import { listNeeded, type Need, type NeededProxy } from "./needed-proxies.ts";
import { createProxyAdmin } from "./proxy-admin.ts";
import { ProxyWatch } from "./proxy-watch.ts";

/** What proxies are watched for, and which. */
export interface WatchQuestion {
  readonly evidence: Evidence;
  readonly need: Need;
  readonly baseline: Baseline;
  /** False where everything was live already: then nothing newer has to come. */
  readonly isWritten: boolean;
  readonly patience: ApiPatience;
}

/** Pods come and go while a proof is under way. */
const listEveryMs = 2_000;

/** Whose word a proof needs: the pods that should have the routes, and whoever else istiod lists and has them for. */
export class WatchedProxies {
  readonly #parts: ProofParts;
  readonly #question: WatchQuestion;
  readonly #watches = new Map<string, ProxyWatch>();
  /** Proxies that only istiod knows of, and whether they are concerned. */
  readonly #strangers = new Map<string, boolean>();
  #listedMs: number;
  #isListing = false;

  constructor(parts: ProofParts, question: WatchQuestion) {
    this.#parts = parts;
    this.#question = question;
    this.#listedMs = parts.clock.nowMs();
    this.#place(question.baseline.needed);
  }

  get all(): readonly ProxyWatch[] {
    return [...this.#watches.values()];
  }

  /** Without those that turned out to need nothing of it. */
  get concerned(): readonly ProxyWatch[] {
    return this.all.filter(({ standing }) => standing.kind !== "unconcerned");
  }

  /** Asks each of them; one promise for each. */
  look(controlPlane: ControlPlaneReading): readonly Promise<void>[] {
    return this.all.map((watch) => watch.look(controlPlane));
  }

  /** What istiod had sent to a proxy before the write. */
  sentBefore(id: string): SyncedType | undefined {
    const { baseline, evidence } = this.#question;
    return baseline.controlPlane.proxies.get(id)?.sync.types[evidence.type];
  }

  /** Who is there by now, where that was long ago; asks for the control plane when the list has come. */
  async listAgain(controlPlane: () => ControlPlaneReading): Promise<void> {
    const { api, clock } = this.#parts;
    if (this.#isListing || clock.nowMs() - this.#listedMs < listEveryMs) return;
    this.#isListing = true;
    try {
      const needed = await listNeeded(api, this.#question.need);
      this.#place(needed);
      const there = new Set(needed.map(({ id }) => id));
      for (const id of this.#watches.keys()) if (!there.has(id)) this.#forget(id, controlPlane());
      await this.meetStrangers(controlPlane());
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.isUnreachable) this.#question.patience.lose(this.#listedMs);
    } finally {
      this.#listedMs = clock.nowMs();
      this.#isListing = false;
    }
  }

  /** Proxies that no Ready pod stands for, such as a virtual machine's: istiod's view says whether they are concerned. */
  async meetStrangers(controlPlane: ControlPlaneReading): Promise<void> {
    const { evidence, need } = this.#question;
    for (const { proxy, listed } of listStrangers(controlPlane, need)) {
      if (this.#watches.has(proxy.id) || this.#strangers.has(proxy.id)) continue;
      const isConcerned = await isShownOrOther(evidence, listed);
      this.#strangers.set(proxy.id, isConcerned);
      if (isConcerned) this.#place([proxy]);
    }
  }

  /** A pod that ends, or is not Ready, is waited for as long as it is connected: so long it takes traffic. */
  #forget(id: string, controlPlane: ControlPlaneReading): void {
    if (controlPlane.proxies.has(id)) return;
    this.#watches.delete(id);
    this.#strangers.delete(id);
  }

  #place(needed: readonly NeededProxy[]): void {
    const { evidence, baseline, isWritten } = this.#question;
    for (const proxy of needed) {
      const known = this.#watches.get(proxy.id);
      if (known?.proxy.life === proxy.life) continue;
      const isSame = baseline.needed.some(({ id, life }) => id === proxy.id && life === proxy.life);
      const options = {
        proxy,
        admin: createProxyAdmin(this.#parts.reach, proxy),
        evidence,
        clock: this.#parts.clock,
        baseline: isSame ? baseline.proxies.get(proxy.id) : undefined,
        sentBefore: this.sentBefore(proxy.id),
        isWritten,
      };
      this.#watches.set(proxy.id, new ProxyWatch(options));
    }
  }
}

/** Whether istiod has something of it for a proxy, the right thing or another. */
async function isShownOrOther(evidence: Evidence, { istiod, sync }: ListedProxy): Promise<boolean> {
  try {
    return (await evidence.judgeView(istiod, sync.proxy)).kind !== "absent";
  } catch (error) {
    if (isNoAnswer(error)) return false;
    throw error;
  }
}
