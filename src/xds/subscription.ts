import { derivationOf } from "../core/envoy/derived-map.ts";
import type { ResourcesByName } from "./snapshot.ts";

/**
 * What one proxy asked for and has, for one resource type on one stream: the server's side of incremental xDS, without
 * any socket. Sections in comments are those of "xDS REST and gRPC protocol" in Envoy's documentation.
 */
export class Subscription {
  readonly #asks: Asking;
  #isWildcard = false;
  #isResumed = false;
  #hasSubscribed = false;
  readonly #names = new Set<string>();
  /** Name -> the version that the proxy was last sent or said to have, or `absent`, or `unknown`. */
  readonly #sent = new Map<string, string>();
  #outstanding: Outstanding | undefined;
  #nonce = 0;
  #nack: Nack | undefined;
  readonly #acked = new Map<string, string>();
  /** What the proxy refused, by name: not to be sent again until something about the whole has changed. */
  #refused: ReadonlyMap<string, string> = new Map();
  #isAnswered = false;
  /** The resources for which there was nothing to send: of those made from them, only what is new is looked at. */
  #checked: Checked | undefined;
  /** The resources of which the proxy has said that it uses all. */
  #ackedAllOf: ResourcesByName | undefined;

  constructor(asks: Asking = "forAll") {
    this.#asks = asks;
  }

  /** Takes a request of the proxy into account. Returns what it said about the last response. */
  take(request: SubscriptionRequest): Verdict {
    const isPlainAnswer = request.subscribe.length + request.unsubscribe.length + request.initialVersions.size === 0;
    if (!isPlainAnswer || !this.#hasSubscribed) {
      this.#checked = undefined;
      this.#ackedAllOf = undefined;
    }
    this.#subscribe(request);
    return this.#judge(request);
  }

  /**
   * What to send now, or undefined. One response at a time is under way, so that a slow proxy is owed the newest state
   * and never a queue of old ones.
   */
  next(resources: ResourcesByName, options: SendOptions = sendsEverything): SubscriptionResponse | undefined {
    const due = this.#due(resources, options);
    return due === undefined || this.#outstanding !== undefined ? undefined : this.#send(resources, due);
  }

  /** Sends these again although the proxy has them: it has rebuilt what they belong to. */
  forget(names: Iterable<string>): void {
    this.#checked = undefined;
    this.#ackedAllOf = undefined;
    for (const name of names) {
      this.#sent.delete(name);
      this.#acked.delete(name);
    }
  }

  /** Whether the proxy brought resources along from an earlier stream, and was sent nothing on this one. */
  get isResumed(): boolean {
    return this.#isResumed && this.#nonce === 0;
  }

  /** Whether the proxy has asked for anything of this type. */
  get hasSubscribed(): boolean {
    return this.#hasSubscribed;
  }

  /** Whether the proxy has asked for this resource by its name. */
  asksFor(name: string): boolean {
    return this.#names.has(name);
  }

  /** Whether the proxy has said that it uses this version of the resource. */
  hasAcked(name: string, version: string): boolean {
    return this.#acked.get(name) === version;
  }

  /**
   * Whether the proxy has said that it uses all of these, or all that it needs of them.
   * @param optional names of those that it may do without
   */
  hasAckedAll(resources: ResourcesByName, optional: ReadonlySet<string> = noNames): boolean {
    if (this.#asks === "forSome") return this.#hasAckedWanted(resources);
    if (this.#ackedAllOf === resources) return true;
    const derivation = derivationOf(resources);
    const isNext = derivation !== undefined && derivation.base === this.#ackedAllOf;
    const names = isNext ? derivation.touched : resources.keys();
    for (const name of names) {
      const version = resources.get(name)?.version;
      if (version !== undefined && !this.hasAcked(name, version) && !optional.has(name)) return false;
    }
    if (optional.size === 0) this.#ackedAllOf = resources;
    return true;
  }

  /** Whether the proxy has all that it asked for, in the version of these resources, and said so. */
  isSettled(resources: ResourcesByName, options: SendOptions = sendsEverything): boolean {
    // A proxy without a cluster that needs endpoints never asks for any: waiting for its question would never end.
    if (!this.#hasSubscribed) return this.#asks === "forSome" || (this.#asks === "forNamed" && resources.size === 0);
    if (this.#outstanding !== undefined || this.#standingNack(resources) !== undefined) return false;
    if (this.#due(resources, options) !== undefined) return false;
    return this.#ackedAllOf === resources || this.#hasAckedWanted(resources);
  }

  /** The last refusal, until the proxy accepts something newer. */
  get nack(): Nack | undefined {
    return this.#nack;
  }

  /** The refusal of what these resources still hold: nothing newer is under way or to be sent. */
  refusal(resources: ResourcesByName, options: SendOptions = sendsEverything): Nack | undefined {
    const isNewer = this.#outstanding !== undefined || this.#due(resources, options) !== undefined;
    return isNewer ? undefined : this.#standingNack(resources);
  }

  /** What has to be sent to bring the proxy to these resources; undefined for nothing. */
  #due(resources: ResourcesByName, { withholdsRemovals }: SendOptions): Due | undefined {
    if (!this.#hasSubscribed) return undefined;
    const checked = this.#checked;
    if (checked?.resources === resources && (withholdsRemovals || !checked.isHoldingBack)) return undefined;
    const { changed, gone, neverThere } = this.#difference(resources);
    const removed = withholdsRemovals ? neverThere : [...gone, ...neverThere];
    const isOwed = changed.length > 0 || removed.length > 0 || !this.#isAnswered;
    const isRefusedAlready = removed.length === 0 && changed.length > 0 && this.#hasRefused(resources, changed);
    const isHoldingBack = withholdsRemovals && gone.length > 0;
    if (isOwed && !isRefusedAlready) return { changed, removed, isHoldingBack };
    this.#checked = { resources, isHoldingBack, isWhole: !isHoldingBack && !isRefusedAlready };
    return undefined;
  }

  /** How these resources differ from what the proxy was sent. */
  #difference(resources: ResourcesByName): Difference {
    const derivation = derivationOf(resources);
    const isKnown = this.#checked?.isWhole === true && this.#isAnswered;
    if (derivation === undefined || !isKnown || this.#checked?.resources !== derivation.base) {
      return {
        changed: this.#wanted(resources).filter((name) => resources.get(name)?.version !== this.#sent.get(name)),
        gone: [...this.#sent]
          .filter(([name, version]) => version !== absent && !resources.has(name))
          .map(([name]) => name),
        neverThere: [...this.#names].filter((name) => !this.#sent.has(name) && !resources.has(name)),
      };
    }
    const { touched } = derivation;
    const isWanted = (name: string): boolean => this.#isWildcard || this.#names.has(name);
    return {
      changed: touched.filter(
        (name) => resources.has(name) && isWanted(name) && resources.get(name)?.version !== this.#sent.get(name),
      ),
      gone: touched.filter((name) => !resources.has(name) && (this.#sent.get(name) ?? absent) !== absent),
      neverThere: touched.filter((name) => !resources.has(name) && this.#names.has(name) && !this.#sent.has(name)),
    };
  }

  #subscribe(request: SubscriptionRequest): void {
    const isFirst = !this.#hasSubscribed;
    this.#hasSubscribed = true;
    for (const [name, version] of request.initialVersions) {
      this.#sent.set(name, version);
      this.#acked.set(name, version);
    }
    // "How the client specifies what resources to return": a first request without names asks for all of them.
    if (isFirst && request.subscribe.length === 0) this.#isWildcard = true;
    for (const name of request.subscribe) {
      if (name === "*") this.#isWildcard = true;
      else {
        // Asking again for a name means that the proxy lost it ("Subscribing to Resources"), unless this is the
        // first request of a new stream, which says in the same breath what it still has.
        if (!isFirst || !request.initialVersions.has(name)) this.#sent.delete(name);
        this.#names.add(name);
      }
    }
    for (const name of request.unsubscribe) {
      if (name === "*") this.#isWildcard = false;
      this.#names.delete(name);
      if (!this.#isWildcard) this.#sent.delete(name);
    }
    // A proxy that still has everything needs no response, and one that asked for names is owed an answer to those.
    if (isFirst) this.#isResumed = request.initialVersions.size > 0;
    if (isFirst) this.#isAnswered = request.initialVersions.size > 0 || request.subscribe.some((name) => name !== "*");
  }

  #judge(request: SubscriptionRequest): Verdict {
    const outstanding = this.#outstanding;
    // "ACK/NACK and resource type instance version": a nonce that is not the newest is about a response of the past.
    if (request.nonce === "" || outstanding === undefined || request.nonce !== outstanding.nonce) return "none";
    this.#outstanding = undefined;
    if (request.error !== undefined) {
      this.#nack = { message: request.error, resources: [...outstanding.versions.keys()], nonce: outstanding.nonce };
      this.#refused = outstanding.versions;
      this.#checked = undefined;
      this.#ackedAllOf = undefined;
      // Envoy may have taken some of them, so what it holds is unknown until each was sent again.
      for (const name of outstanding.versions.keys()) {
        this.#sent.set(name, unknown);
        this.#acked.delete(name);
      }
      return "nack";
    }
    if (this.#refused.size > 0) this.#checked = undefined;
    this.#nack = undefined;
    this.#refused = new Map();
    this.#ackedAllOf = outstanding.completes;
    for (const [name, version] of outstanding.versions) this.#acked.set(name, version);
    for (const name of outstanding.removed) this.#acked.delete(name);
    return "ack";
  }

  #send(resources: ResourcesByName, { changed, removed, isHoldingBack }: Due): SubscriptionResponse {
    this.#nonce += 1;
    this.#isAnswered = true;
    const nonce = String(this.#nonce);
    const versions = new Map<string, string>();
    const sent = changed.flatMap((name) => {
      const resource = resources.get(name);
      if (resource === undefined) return [];
      versions.set(name, resource.version);
      this.#sent.set(name, resource.version);
      return [{ name, ...resource }];
    });
    for (const name of removed) {
      // A name asked for stays known as absent, so that its absence is told once and its appearance is a change.
      if (this.#names.has(name)) this.#sent.set(name, absent);
      else this.#sent.delete(name);
    }
    this.#outstanding = { nonce, versions, removed, completes: this.#completedBy(resources, versions) };
    this.#checked = { resources, isHoldingBack, isWhole: !isHoldingBack };
    return { nonce, resources: sent, removed };
  }

  /** The resources, if the proxy uses all of them once it has taken what is sent now. */
  #completedBy(resources: ResourcesByName, versions: ReadonlyMap<string, string>): ResourcesByName | undefined {
    const derivation = derivationOf(resources);
    if (derivation === undefined || derivation.base !== this.#ackedAllOf) return undefined;
    return derivation.touched.every((name) => versions.has(name) || !resources.has(name)) ? resources : undefined;
  }

  /** Whether the proxy was sent just these, in these versions, and refused them; fewer of them it may take. */
  #hasRefused(resources: ResourcesByName, names: readonly string[]): boolean {
    return names.length >= this.#refused.size && names.every((name) => this.#isRefused(resources, name));
  }

  /** The last refusal, unless nothing is left that it can be about. */
  #standingNack(resources: ResourcesByName): Nack | undefined {
    // One that refused a removal has said so of nothing that could be named.
    if (this.#refused.size === 0) return this.#nack;
    return this.#wanted(resources).some((name) => this.#isRefused(resources, name)) ? this.#nack : undefined;
  }

  #isRefused(resources: ResourcesByName, name: string): boolean {
    const version = resources.get(name)?.version;
    return version !== undefined && this.#refused.get(name) === version;
  }

  #hasAckedWanted(resources: ResourcesByName): boolean {
    return this.#wanted(resources).every((name) => this.#acked.get(name) === resources.get(name)?.version);
  }

  #wanted(resources: ResourcesByName): string[] {
    if (this.#isWildcard) return [...resources.keys()];
    return [...this.#names].filter((name) => resources.has(name));
  }
}

/** For which resources of a type a proxy asks. */
export type Asking =
  | "forAll"
  /** Only for those that something else names, which are all of them. */
  | "forNamed"
  /** Only for those that something else names; there are others. */
  | "forSome";

export interface SendOptions {
  /** Keeps what no longer exists alive on the proxy, for as long as something may still use it. */
  readonly withholdsRemovals: boolean;
}

const sendsEverything: SendOptions = { withholdsRemovals: false };

const noNames: ReadonlySet<string> = new Set();

interface Checked {
  readonly resources: ResourcesByName;
  /** Whether there is something to remove, as soon as it may be. */
  readonly isHoldingBack: boolean;
  /** Whether the proxy was sent exactly these. */
  readonly isWhole: boolean;
}

interface Difference {
  /** What the proxy wants and was not sent in this version. */
  readonly changed: readonly string[];
  /** What the proxy was sent and no longer exists. */
  readonly gone: readonly string[];
  /** What the proxy asked for by name, without an answer yet, and does not exist. */
  readonly neverThere: readonly string[];
}

interface Due {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly isHoldingBack: boolean;
}

/** Stands for a version: the proxy was told that there is no such resource. */
const absent = "";
/** Stands for a version: the proxy may hold the resource, in a version that nobody knows. */
const unknown = "?";

interface Outstanding {
  readonly nonce: string;
  readonly versions: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  /** The resources that the proxy then uses as a whole, where that is known. */
  readonly completes: ResourcesByName | undefined;
}

export interface SubscriptionRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the proxy still has from an earlier stream, by name. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** The response it answers; empty when it answers none. */
  readonly nonce: string;
  /** Why it refused that response; undefined when it took it. */
  readonly error: string | undefined;
}

export interface SubscriptionResponse {
  readonly nonce: string;
  readonly resources: readonly { readonly name: string; readonly version: string; readonly bytes: Uint8Array }[];
  readonly removed: readonly string[];
}

export type Verdict = "ack" | "nack" | "none";

export interface Nack {
  /** Envoy's own words. */
  readonly message: string;
  /** The resources of the refused response; the message says which of them is meant. */
  readonly resources: readonly string[];
  readonly nonce: string;
}
