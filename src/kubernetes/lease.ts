import type { KubeApi } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import { kubeKinds } from "./kube-kinds.ts";
import type { KubeObject } from "./kube-object.ts";
import { pause } from "./pause.ts";
import type { ReachOptions } from "./pod-reach.ts";

export interface LeadershipOptions {
  readonly api: KubeApi;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Of this process, and of no other ever: a host's name and something random. */
  readonly identity: string;
  /** For how long others wait after the last sign of life; 15 s. */
  readonly leaseMs?: number;
  /** A leader that could not renew for so long stops leading, before others may begin; two thirds of the lease. */
  readonly renewWithinMs?: number;
  /** Between two tries; 2 s. */
  readonly retryMs?: number;
  /**
   * Works for as long as it leads: the signal aborts when that is over. What it returns resolves when nothing of the work
   * is left; until then the Lease is not given back, and this process leads no second time.
   */
  readonly onLead: (signal: AbortSignal) => Promise<void> | void;
  /** Who leads, whenever that changes; undefined while nobody does. */
  readonly onLeader?: (identity: string | undefined) => void;
  /** Why a try has failed; told once until one succeeds. */
  readonly onTrouble?: (error: KubeError) => void;
}

/** What a Lease says, and when this process has seen it say so. */
interface SeenLease {
  readonly object: KubeObject;
  readonly holder: string;
  readonly durationMs: number;
  readonly transitions: number;
  readonly atMs: number;
}

/**
 * Leader election by a Lease (coordination.k8s.io/v1), as client-go does it: what counts is for how long the Lease has
 * been seen unchanged, never the times written in it, so that clocks may differ.
 */
export class Leadership implements AsyncDisposable {
  readonly #options: Required<Omit<LeadershipOptions, "onLeader" | "onTrouble">> & LeadershipOptions;
  readonly #stop = new AbortController();
  #seen: SeenLease | undefined;
  /** Until when it may lead, by both clocks; counted from before the request that renewed it. */
  #leadsUntil: Moment = { steadyMs: 0, wallMs: 0 };
  #term: AbortController | undefined;
  #fence: NodeJS.Timeout | undefined;
  #leader: string | undefined;
  #isTroubled = false;
  #loop: Promise<void> = Promise.resolve();
  #work: Promise<void> = Promise.resolve();

  private constructor(options: LeadershipOptions) {
    const { leaseMs = 15_000, retryMs = 2_000 } = options;
    const { renewWithinMs = (leaseMs * 2) / 3 } = options;
    this.#options = { ...options, leaseMs, retryMs, renewWithinMs };
  }

  /** Stands for election until it is disposed of. */
  static start(options: LeadershipOptions): Leadership {
    const leadership = new Leadership(options);
    leadership.#loop = leadership.#run();
    return leadership;
  }

  /** True only while no other can lead, whatever has become of the API server or of this process's timers. */
  get isLeader(): boolean {
    return this.#term !== undefined && remainingMs(this.#leadsUntil) > 0;
  }

  /** Waits for the end of the work, and gives the Lease back where it holds it, so that another takes it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    this.#lose();
    await this.#work;
    await this.#release();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { retryMs } = this.#options;
    while (!signal.aborted) {
      if (this.#term === undefined) await this.#work;
      await this.#try();
      // Those who wait do not ask in one moment.
      await pause(this.isLeader ? retryMs : retryMs * (1 + Math.random() * 0.2), signal);
    }
  }

  async #try(): Promise<void> {
    const asked = now();
    try {
      const isHeld = await this.#acquireOrRenew();
      if (isHeld) this.#lead(asked);
      else if (this.#seen?.holder !== this.#options.identity) this.#lose();
      this.#isTroubled = false;
      this.#tellLeader();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (!(error instanceof KubeError)) throw error;
      if (!this.#isTroubled) this.#options.onTrouble?.(error);
      this.#isTroubled = true;
    }
  }

  async #acquireOrRenew(): Promise<boolean> {
    const { api, lease, identity } = this.#options;
    const limits = this.#limits();
    // Nobody else writes it as long as it is held, so that there is nothing to read; somebody may label it all the same.
    const isHeld = this.isLeader && this.#seen?.holder === identity && !this.#isTroubled;
    if (isHeld && this.#seen !== undefined && (await this.#replace(this.#seen))) return true;
    const object = await api.get(kubeKinds.lease, lease, limits);
    if (object === undefined) return this.#write((each) => api.create(kubeKinds.lease, each, limits), undefined);
    const seen = this.#see(object);
    const isHeldByOther = seen.holder !== "" && seen.holder !== identity;
    return isHeldByOther && performance.now() < seen.atMs + seen.durationMs ? false : this.#replace(seen);
  }

  #replace(seen: SeenLease): Promise<boolean> {
    return this.#write((each) => this.#options.api.replace(kubeKinds.lease, each, this.#limits()), seen);
  }

  /** Two tries have to fit into the time within which it must be renewed. */
  #limits(): ReachOptions {
    return { timeoutMs: this.#options.renewWithinMs / 2, signal: this.#stop.signal };
  }

  /** False where somebody else was faster. */
  async #write(write: (lease: KubeObject) => Promise<KubeObject>, seen: SeenLease | undefined): Promise<boolean> {
    try {
      this.#see(await write(this.#compose(seen)));
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.status === 409) return false;
      throw error;
    }
  }

  #compose(seen: SeenLease | undefined): KubeObject {
    const { identity, leaseMs } = this.#options;
    const renewTime = microTime();
    const isMine = seen?.holder === identity;
    const spec = {
      ...specOf(seen?.object),
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1_000),
      renewTime,
      ...(isMine ? {} : { acquireTime: renewTime, leaseTransitions: (seen?.transitions ?? -1) + 1 }),
    };
    if (seen !== undefined) return { ...seen.object, spec };
    const { name, namespace } = this.#options.lease;
    return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace }, spec };
  }

  #see(object: KubeObject): SeenLease {
    const known = this.#seen;
    if (known !== undefined && known.object.metadata.resourceVersion === object.metadata.resourceVersion) return known;
    const { holderIdentity, leaseDurationSeconds, leaseTransitions } = specOf(object);
    this.#seen = {
      object,
      holder: holderIdentity ?? "",
      durationMs: (leaseDurationSeconds ?? 0) * 1_000,
      transitions: leaseTransitions ?? 0,
      atMs: performance.now(),
    };
    return this.#seen;
  }

  #lead(asked: Moment): void {
    const { renewWithinMs, onLead } = this.#options;
    this.#leadsUntil = { steadyMs: asked.steadyMs + renewWithinMs, wallMs: asked.wallMs + renewWithinMs };
    clearTimeout(this.#fence);
    const leftMs = remainingMs(this.#leadsUntil);
    this.#fence = setTimeout(() => this.#lose(), Math.max(leftMs, 0));
    if (this.#term !== undefined || leftMs <= 0) return;
    this.#term = new AbortController();
    this.#work = Promise.resolve(onLead(this.#term.signal));
  }

  #lose(): void {
    clearTimeout(this.#fence);
    const term = this.#term;
    this.#term = undefined;
    term?.abort();
    if (term !== undefined) this.#tellLeader();
  }

  async #release(): Promise<void> {
    const { api, lease, identity, renewWithinMs } = this.#options;
    if (this.#seen?.holder !== identity) return;
    const limits = { timeoutMs: renewWithinMs / 2 };
    try {
      const object = await api.get(kubeKinds.lease, lease, limits);
      if (object === undefined || specOf(object).holderIdentity !== identity) return;
      const spec = { ...specOf(object), holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime() };
      await api.replace(kubeKinds.lease, { ...object, spec }, limits);
    } catch (error) {
      // The Lease ends by itself.
      if (!(error instanceof KubeError)) throw error;
      this.#options.onTrouble?.(error);
    }
  }

  #tellLeader(): void {
    const { holder = "" } = this.#seen ?? {};
    const isAlive = this.#seen !== undefined && performance.now() < this.#seen.atMs + this.#seen.durationMs;
    const leader = isAlive && holder !== "" ? holder : undefined;
    if (leader === this.#leader) return;
    this.#leader = leader;
    this.#options.onLeader?.(leader);
  }
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly leaseTransitions?: number;
}

function specOf(object: KubeObject | undefined): LeaseSpec {
  const spec = object?.["spec"];
  return typeof spec === "object" && spec !== null ? spec : {};
}

/** `MicroTime` of meta/v1. */
function microTime(): string {
  return new Date().toISOString().replace("Z", "000Z");
}

/**
 * A monotonic clock stands still while a laptop sleeps, and a wall clock can be set: whichever says first that the time is
 * up is believed by a leader. Who waits for the end of a Lease believes the monotonic one, which never runs ahead.
 */
interface Moment {
  readonly steadyMs: number;
  readonly wallMs: number;
}

function now(): Moment {
  return { steadyMs: performance.now(), wallMs: Date.now() };
}

function remainingMs({ steadyMs, wallMs }: Moment): number {
  return Math.min(steadyMs - performance.now(), wallMs - Date.now());
}
