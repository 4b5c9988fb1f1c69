import type { UnreachableProxies } from "../../core/manifest/release.ts";
import type { ProxyProof } from "../../engine/ports.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import type { ProofParts } from "./baseline.ts";
import { type ControlPlaneReading, readControlPlane } from "./control-plane.ts";
import { describeProof, type ProofState } from "./describe-proof.ts";
import { findRefusals } from "./find-refusals.ts";
import { mayPassOver } from "./pass-over.ts";
import type { ProxyWatch } from "./proxy-watch.ts";
import { ReplicaKnowledge } from "./replica-knowledge.ts";
import type { IstiodPlace } from "./site-view.ts";
import { WatchedProxies, type WatchQuestion } from "./watched-proxies.ts";

export interface ProofQuestion extends WatchQuestion {
  /** When the caller called, and from when proxies have their time. */
  readonly calledMs: number;
  readonly toldMs: number;
  readonly timeoutMs: number;
  readonly unreachable: UnreachableProxies;
  /** Whether it brings back what was there before, from which a proxy that refused its routes already keeps nobody. */
  readonly isWayBack?: boolean | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
  /** Whether a replica of istiod that has none of these proxies knows what it would have to give one that it takes over. */
  readonly isKnownTo?: ((istiod: IstiodPlace) => Promise<boolean>) | undefined;
}

export type ProofReport =
  | {
      readonly kind: "proved";
      readonly proxies: readonly ProxyProof[];
      readonly note: string | undefined;
      /** The proxies that refuse their routes, and keep nobody from going back. */
      readonly passedOver: readonly string[];
    }
  | { readonly kind: "rejected"; readonly node: string; readonly resource: string; readonly message: string }
  | { readonly kind: "unproved"; readonly proxies: readonly ProxyProof[]; readonly message: string };

/** istiod waits 100 ms for further changes (`PILOT_DEBOUNCE_AFTER`) and needs some 30 ms: asking sooner is in vain. */
const firstPauseMs = 110;
const shortestPauseMs = 15;
const longestPauseMs = 400;
/**
 * Envoy's main thread shows routes in the moment in which it hands them to its workers, who take them at their next turn
 * of the event loop (Envoy doc: life of a request, threading model). No counter tells when the last one has; turns take
 * a few milliseconds, and a busy machine is given this.
 */
const workersTakeMs = 100;

/** Waits until every proxy that needs it shows the evidence, and says which have not. */
export async function proveAtProxies(parts: ProofParts, question: ProofQuestion): Promise<ProofReport> {
  return await new Proof(parts, question).run();
}

function idsOf(watches: readonly ProxyWatch[]): readonly string[] {
  return watches.map(({ proxy }) => proxy.id);
}

class Proof {
  readonly #parts: ProofParts;
  readonly #question: ProofQuestion;
  readonly #proxies: WatchedProxies;
  readonly #replicas: ReplicaKnowledge;
  #controlPlane: ControlPlaneReading;
  #isReading = false;
  #readAgainMs = 0;
  #told = "";

  constructor(parts: ProofParts, question: ProofQuestion) {
    this.#parts = parts;
    this.#question = question;
    this.#replicas = new ReplicaKnowledge(parts.clock, question.isKnownTo);
    this.#controlPlane = question.baseline.controlPlane;
    this.#proxies = new WatchedProxies(parts, question);
  }

  async run(): Promise<ProofReport> {
    const { clock } = this.#parts;
    const { isWritten } = this.#question;
    await this.#proxies.meetStrangers(this.#controlPlane);
    if (isWritten) await clock.sleep(firstPauseMs);
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 1.3)) {
      await this.#look();
      const report = this.#conclude();
      if (report !== undefined) return await this.#afterWorkers(report);
      this.#tell();
      await clock.sleep(pauseMs);
    }
  }

  /** Asks everybody; one that is slow keeps nobody waiting longer than a moment. */
  async #look(): Promise<void> {
    const { clock } = this.#parts;
    void this.#proxies.listAgain(() => this.#controlPlane);
    await Promise.race([
      Promise.all([this.#readControlPlane(), ...this.#proxies.look(this.#controlPlane)]),
      clock.sleep(longestPauseMs),
    ]);
  }

  async #readControlPlane(): Promise<void> {
    const { clock, istiods } = this.#parts;
    if (this.#isReading || clock.nowMs() < this.#readAgainMs) return;
    this.#isReading = true;
    try {
      const places = await istiods();
      this.#controlPlane = await readControlPlane(places);
      for (const istiod of this.#controlPlane.answered) {
        if (istiod.takesProxies !== false && this.#proxiesOf(istiod.name).length === 0)
          await this.#replicas.ask(istiod);
      }
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // The API server is away: what was read last is what is known.
    } finally {
      this.#isReading = false;
      this.#readAgainMs = clock.nowMs() + shortestPauseMs * 3;
    }
  }

  /** A replica that has pushed to one of the proxies that show it knows it. */
  #hasPushed(name: string): boolean {
    return this.#proxiesOf(name).some(({ standing }) => standing.kind === "shown");
  }

  #proxiesOf(name: string): readonly ProxyWatch[] {
    return this.#proxies.concerned.filter(
      ({ proxy }) => this.#controlPlane.proxies.get(proxy.id)?.istiod.name === name,
    );
  }

  #conclude(): ProofReport | undefined {
    const refusal = this.#findRefusal();
    if (refusal !== undefined) return refusal;
    const state = this.#state();
    const proxies = this.#proofs();
    if (state.watches.length === 0) {
      return {
        kind: "unproved",
        proxies,
        message: "No proxy needs these routes, so nothing can show that they are live",
      };
    }
    if (state.open.length === 0 && state.ignorant.length === 0) {
      if (proxies.length > 0) return { kind: "proved", proxies, note: undefined, passedOver: [] };
      return {
        kind: "unproved",
        proxies,
        message: "No proxy has these routes, so nothing can show that they are live",
      };
    }
    if (this.#mayGoOn(state)) {
      const passedOver = idsOf(state.open).filter((id) => this.#isPassedRefusal(id));
      return { kind: "proved", proxies, note: describeProof(state), passedOver };
    }
    if (this.#isOver()) return { kind: "unproved", proxies, message: describeProof(state) };
    return undefined;
  }

  #state(): ProofState {
    const watches = this.#proxies.concerned;
    const { answered, silent } = this.#controlPlane;
    const ignorant = [
      ...(answered.length + silent.size === 0 ? ["no istiod was found that could tell which proxies there are"] : []),
      ...[...silent.keys()].map((name) => `istiod ${name} does not answer`),
      ...answered
        .filter(
          ({ name, takesProxies }) => takesProxies !== false && !this.#replicas.knows(name) && !this.#hasPushed(name),
        )
        .map(({ name }) => `istiod ${name} does not know it yet`),
    ];
    const open = watches.filter(({ isSettled }) => !isSettled);
    const refusals = this.#question.evidence.type === "route" ? findRefusals(this.#controlPlane, idsOf(open)) : [];
    return {
      watches,
      open,
      ignorant,
      refusals: new Map(refusals.map(({ proxy, reason }) => [proxy, reason])),
      nowMs: this.#parts.clock.nowMs(),
    };
  }

  #mayGoOn(state: ProofState): boolean {
    const { unreachable, toldMs } = this.#question;
    const isPassedRefusal = (id: string): boolean => this.#isPassedRefusal(id);
    return mayPassOver(state, { unreachable, toldMs, isPassedRefusal });
  }

  /** On a way back: it refused before anything was written, and does so still. */
  #isPassedRefusal(id: string): boolean {
    const { isWayBack = false, evidence } = this.#question;
    const now = this.#controlPlane.proxies.get(id)?.sync.types[evidence.type]?.lastError;
    return isWayBack && now !== undefined && this.#proxies.sentBefore(id)?.lastError !== undefined;
  }

  #isOver(): boolean {
    const { toldMs, timeoutMs, patience } = this.#question;
    return this.#parts.clock.nowMs() > toldMs + timeoutMs + patience.lostMs;
  }

  /** Of a proxy that has not shown it: an error that was not there before, or was sent again since. */
  #findRefusal(): ProofReport | undefined {
    const { evidence, isWritten } = this.#question;
    if (!isWritten) return undefined;
    for (const { proxy, isSettled } of this.#proxies.all) {
      const now = this.#controlPlane.proxies.get(proxy.id)?.sync.types[evidence.type];
      if (isSettled || now?.lastError === undefined) continue;
      const before = this.#proxies.sentBefore(proxy.id);
      if (before?.lastError === now.lastError && before.sentAtMs === now.sentAtMs) continue;
      if (this.#isPassedRefusal(proxy.id)) continue;
      return { kind: "rejected", node: proxy.id, resource: evidence.type, message: now.lastError };
    }
    return undefined;
  }

  #proofs(): readonly ProxyProof[] {
    const { calledMs } = this.#question;
    return this.#proxies.all.flatMap(({ proxy, standing }) => {
      if (standing.kind !== "shown") return [];
      const ackMs = standing.atMs - calledMs;
      return [{ node: proxy.id, ackMs, workersMs: ackMs + workersTakeMs }];
    });
  }

  async #afterWorkers(report: ProofReport): Promise<ProofReport> {
    if (report.kind !== "proved") return report;
    const lastMs = Math.max(...report.proxies.map(({ workersMs }) => workersMs)) + this.#question.calledMs;
    // A timer may fire a moment before its time is over.
    await this.#parts.clock.sleep(Math.max(0, lastMs - this.#parts.clock.nowMs()) + 1);
    return report;
  }

  #tell(): void {
    const text = describeProof(this.#state());
    if (text !== this.#told) this.#question.onProgress?.(text);
    this.#told = text;
  }
}
