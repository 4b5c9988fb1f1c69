import { errorText } from "../../core/diagnostics/error-text.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { SyncedType } from "../../core/site/read-sync.ts";
import type { Clock } from "../../engine/ports.ts";
import type { ControlPlaneReading, ListedProxy } from "./control-plane.ts";
import type { Evidence } from "./evidence.ts";
import type { NeededProxy } from "./needed-proxies.ts";
import type { ProxyAdmin } from "./proxy-admin.ts";

/** Where one proxy stands in a proof. */
export type Standing =
  | { readonly kind: "unasked" }
  | { readonly kind: "shown"; readonly atMs: number }
  /** It has none of it, and nobody is going to give it any. */
  | { readonly kind: "unconcerned" }
  /** It, or istiod for it, has shown something else; in words that follow its name. */
  | { readonly kind: "waiting"; readonly text: string }
  /** It cannot be asked itself, and what istiod says does not prove it. */
  | {
      readonly kind: "unreachable";
      readonly text: string;
      readonly sinceMs: number;
      /** What it had shown when it answered last, in words that follow its name. */
      readonly shown: string | undefined;
    };

/** What is known of a proxy from before a write, by which it is seen that something new has come. */
export interface ProxyBaseline {
  readonly stamp: string | undefined;
  readonly isAbsent: boolean;
}

export interface WatchOptions {
  readonly proxy: NeededProxy;
  readonly admin: ProxyAdmin;
  readonly evidence: Evidence;
  readonly clock: Clock;
  /** Undefined where nothing was written, or where the proxy was not asked before. */
  readonly baseline: ProxyBaseline | undefined;
  /** What istiod had sent before the write; undefined where nothing was written. */
  readonly sentBefore: SyncedType | undefined;
  readonly isWritten: boolean;
}

/**
 * One that has just started has no routes either, and istiod has none for what it has not asked for yet: who was not seen
 * without the routes before counts as not concerned only after so long.
 */
const newcomerMs = 3_000;
/** How soon a proxy that did not answer is asked again. */
const retryMs = 1_000;
/** A write that leaves the routes as they are moves no stamp: the routes themselves are read then, more and more seldom. */
const firstLookMs = 1_500;

/**
 * istiod's view of a proxy may be a push ahead of what it has sent (Istio `pilot/pkg/xds/ads.go`, pushConnection: the
 * state first, then clusters, endpoints, listeners, routes). Its word counts when the view has shown the routes for as
 * long as even a large push takes, and nothing newer was sent meanwhile.
 */
const pushTakesMs = 1_500;

/** Follows one proxy until it shows what it should: by its own word, else by what istiod knows of it. */
export class ProxyWatch {
  readonly proxy: NeededProxy;
  readonly #options: WatchOptions;
  readonly #startedMs: number;
  #standing: Standing = { kind: "unasked" };
  #stamp: string | undefined;
  /** What it has shown last, in words that follow its name: its routes are that until others are seen. */
  #shown: string | undefined;
  #lookAtMs: number;
  #lookAfterMs = firstLookMs;
  #askAgainMs = 0;
  #silence: { readonly text: string; readonly sinceMs: number } | undefined;
  /** Since when istiod's view has shown the routes with nothing newer sent. */
  #spoken: { readonly nonce: string; readonly sinceMs: number } | undefined;
  #viewAgainMs = 0;
  #isBusy = false;

  constructor(options: WatchOptions) {
    this.proxy = options.proxy;
    this.#options = options;
    this.#startedMs = options.clock.nowMs();
    this.#stamp = options.isWritten ? options.baseline?.stamp : undefined;
    this.#lookAtMs = this.#startedMs + this.#lookAfterMs;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get isSettled(): boolean {
    return this.#standing.kind === "shown" || this.#standing.kind === "unconcerned";
  }

  /** Asks once; one that is under way is not doubled. Never rejects for what a proxy or istiod does. */
  async look(controlPlane: ControlPlaneReading): Promise<void> {
    if (this.#isBusy || this.isSettled) return;
    this.#isBusy = true;
    try {
      if (await this.#askProxy(controlPlane)) return;
      await this.#askIstiod(controlPlane.proxies.get(this.proxy.id));
    } finally {
      this.#isBusy = false;
    }
  }

  /** Returns whether the proxy itself has answered. */
  async #askProxy(controlPlane: ControlPlaneReading): Promise<boolean> {
    const { evidence, admin, clock } = this.#options;
    if (clock.nowMs() < this.#askAgainMs) return false;
    try {
      const stamp = await evidence.stamp(admin);
      if (stamp === this.#stamp && clock.nowMs() < this.#lookAtMs) {
        await this.#stayed(controlPlane);
        return true;
      }
      this.#lookAfterMs *= 2;
      this.#lookAtMs = clock.nowMs() + this.#lookAfterMs;
      const sight = await evidence.judge(admin);
      this.#stamp = stamp;
      this.#silence = undefined;
      if (sight.kind === "shown") this.#standing = { kind: "shown", atMs: clock.nowMs() };
      else if (sight.kind === "other") this.#wait(sight.text);
      else await this.#judgeAbsence(controlPlane);
      return true;
    } catch (error) {
      if (!(error instanceof KirikaeError) && !(error instanceof SyntaxError)) throw error;
      this.#silence ??= { text: errorText(error), sinceMs: clock.nowMs() };
      this.#askAgainMs = clock.nowMs() + retryMs;
      return false;
    }
  }

  async #stayed(controlPlane: ControlPlaneReading): Promise<void> {
    this.#silence = undefined;
    if (this.#options.baseline?.isAbsent === true) await this.#judgeAbsence(controlPlane);
    else this.#wait(this.#shown ?? "shows what it did before");
  }

  #wait(text: string): void {
    this.#shown = text;
    this.#standing = { kind: "waiting", text };
  }

  /** A proxy without the routes is unconcerned when istiod would not give it any either. */
  async #judgeAbsence({ proxies }: ControlPlaneReading): Promise<void> {
    const text = "has none of the routes";
    const listed = proxies.get(this.proxy.id);
    if (listed === undefined) {
      this.#wait(`${text}, and is connected to no istiod`);
      return;
    }
    const view = await this.#view(listed);
    if (view === "absent" && this.#isNoNewcomer()) this.#standing = { kind: "unconcerned" };
    else this.#wait(text);
  }

  #isNoNewcomer(): boolean {
    const { baseline, clock } = this.#options;
    return baseline !== undefined || clock.nowMs() - this.#startedMs >= newcomerMs;
  }

  async #askIstiod(listed: ListedProxy | undefined): Promise<void> {
    const { clock } = this.#options;
    const sinceMs = this.#silence?.sinceMs ?? clock.nowMs();
    const text = listed === undefined ? "is not connected to istiod" : "unreachable";
    this.#standing = { kind: "unreachable", text, sinceMs, shown: this.#shown };
    const nonce = listed === undefined ? undefined : this.#newestTaken(listed);
    if (listed === undefined || nonce === undefined || clock.nowMs() < this.#viewAgainMs) return;
    const view = await this.#view(listed);
    if (view === "absent" && this.#isNoNewcomer()) this.#standing = { kind: "unconcerned" };
    if (view === "shown") {
      this.#hearIstiod(nonce);
      return;
    }
    this.#spoken = undefined;
    this.#viewAgainMs = clock.nowMs() + retryMs;
  }

  /** Undefined while the proxy has not taken all that it was sent, or was sent nothing since the write. */
  #newestTaken({ sync }: ListedProxy): string | undefined {
    const { evidence, isWritten, sentBefore } = this.#options;
    const { sent, acked } = sync.types[evidence.type] ?? {};
    if (sent === undefined || sent.nonce !== acked?.nonce) return undefined;
    return isWritten && sent.nonce === sentBefore?.sent?.nonce ? undefined : sent.nonce;
  }

  #hearIstiod(nonce: string): void {
    const nowMs = this.#options.clock.nowMs();
    if (this.#spoken?.nonce !== nonce) this.#spoken = { nonce, sinceMs: nowMs };
    const { sinceMs } = this.#spoken;
    if (nowMs - sinceMs >= pushTakesMs) this.#standing = { kind: "shown", atMs: nowMs };
    else this.#viewAgainMs = sinceMs + pushTakesMs;
  }

  async #view({ istiod }: ListedProxy): Promise<"shown" | "other" | "absent" | "unknown"> {
    try {
      return (await this.#options.evidence.judgeView(istiod, this.proxy.id)).kind;
    } catch (error) {
      if (!(error instanceof KirikaeError) && !(error instanceof SyntaxError)) throw error;
      // It may be connected to another replica by now.
      return "unknown";
    }
  }
}
