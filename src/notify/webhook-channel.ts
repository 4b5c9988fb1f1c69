import { setTimeout as delay } from "node:timers/promises";
import { errorText } from "../core/diagnostics/error-text.ts";
import type { ReleaseNotice } from "../core/release/describe/find-notices.ts";
import type { Channel } from "./channel.ts";
import { type Post, postJson, type PostOutcome } from "./post-json.ts";
import { signBody } from "./sign-body.ts";

export interface WebhookOptions {
  readonly url: string;
  /** Reads the secret anew for each message, so that a renewed one counts; undefined sends unsigned. */
  readonly readSecret: (() => Promise<string>) | undefined;
  readonly addresses?: Post["addresses"];
  /** Told once when messages no longer arrive, and again only after one has. */
  warn(message: string): void;
  readonly timing?: Partial<WebhookTiming>;
}

export interface WebhookTiming {
  readonly timeoutMs: number;
  /** How long is waited before each further try; their number is that of the tries after the first. */
  readonly retryAfterMs: readonly number[];
  /** How long disposing waits for what is still to be sent. */
  readonly graceMs: number;
}

const usualTiming: WebhookTiming = { timeoutMs: 5_000, retryAfterMs: [1_000, 4_000, 15_000], graceMs: 2_000 };

/** A receiver that is away for long must not fill the memory; the oldest are left out. */
const mostWaiting = 200;

/**
 * Posts notices one after the other, in the order in which they came: the next one waits until this one has arrived or
 * was given up. A webhook that gave up has no tries but the first for what follows, until one arrives.
 */
export class WebhookChannel implements Channel {
  readonly #options: WebhookOptions;
  readonly #timing: WebhookTiming;
  readonly #waiting: ReleaseNotice[] = [];
  readonly #stop = new AbortController();
  #sending: Promise<void> | undefined;
  #isDead = false;
  #isClosed = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#timing = { ...usualTiming, ...options.timing };
  }

  send(notice: ReleaseNotice): void {
    if (this.#isClosed) return;
    this.#waiting.push(notice);
    if (this.#waiting.length > mostWaiting) {
      this.#waiting.shift();
      this.#giveUp(`more than ${mostWaiting} messages wait, and the oldest are left out`);
    }
    this.#sending ??= this.#sendAll().catch((error: unknown) => {
      // A defect of ours may cost a message, and never the process that runs releases.
      this.#sending = undefined;
      this.#giveUp(`a defect of kirikae: ${String(error)}`);
    });
  }

  /** What waits is sent where that takes no time, and given up otherwise. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const grace = setTimeout(() => this.#stop.abort(), this.#timing.graceMs);
    await this.#sending;
    clearTimeout(grace);
  }

  async #sendAll(): Promise<void> {
    // A first turn of its own, so that whoever sends never waits for what sending costs.
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#stop.signal.aborted) break;
      const outcome = await this.#deliver(next);
      if (outcome.kind === "taken") this.#isDead = false;
      else if (!this.#stop.signal.aborted) this.#giveUp(outcome.reason);
    }
    // In the same turn as the look that found nothing, so that what comes next begins anew.
    this.#sending = undefined;
  }

  async #deliver(notice: ReleaseNotice): Promise<PostOutcome> {
    let outcome = await this.#post(notice);
    for (const waitMs of this.#isDead ? [] : this.#timing.retryAfterMs) {
      if (outcome.kind !== "failed" || this.#stop.signal.aborted) break;
      await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (!this.#stop.signal.aborted) outcome = await this.#post(notice);
    }
    return outcome;
  }

  async #post(notice: ReleaseNotice): Promise<PostOutcome> {
    const body = JSON.stringify(notice);
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signed = await this.#sign(body, timestamp);
    if (signed.kind !== "signed") return signed;
    return postJson({
      url: this.#options.url,
      addresses: this.#options.addresses,
      body,
      headers: {
        ...signed.headers,
        "x-kirikae-event": notice.event,
        "x-kirikae-timestamp": timestamp,
        "user-agent": "kirikae",
      },
      timeoutMs: this.#timing.timeoutMs,
      signal: this.#stop.signal,
    });
  }

  /** A message whose secret cannot be read is not sent: its receiver would have to refuse it. */
  async #sign(body: string, timestamp: string): Promise<Signed | Failed> {
    const { readSecret } = this.#options;
    if (readSecret === undefined) return { kind: "signed", headers: {} };
    try {
      const signature = signBody(body, { secret: await readSecret(), timestamp });
      return { kind: "signed", headers: { "x-kirikae-signature": signature } };
    } catch (error) {
      return { kind: "failed", reason: errorText(error) };
    }
  }

  #giveUp(reason: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    // The path of a webhook is often as secret as a password.
    this.#options.warn(`the webhook at ${new URL(this.#options.url).host} is not told: ${reason}`);
  }
}

type Failed = Extract<PostOutcome, { kind: "refused" | "failed" }>;

interface Signed {
  readonly kind: "signed";
  readonly headers: Readonly<Record<string, string>>;
}
