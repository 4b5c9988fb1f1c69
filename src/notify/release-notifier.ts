import type { Notification, SecretSource } from "../core/manifest/release.ts";
import { findNotices, type ReleaseTurn } from "../core/release/describe/find-notices.ts";
import type { Channel } from "./channel.ts";
import { createLogChannel } from "./log-channel.ts";
import { WebhookChannel, type WebhookOptions, type WebhookTiming } from "./webhook-channel.ts";

export interface NotifierOptions {
  /** Takes the lines of `log`. */
  print(line: string): void;
  /** Hears of webhooks that do not work. */
  warn(message: string): void;
  readSecret(source: SecretSource): Promise<string>;
  /** Says which addresses webhooks may have; absent is all. */
  readonly addresses?: WebhookOptions["addresses"];
  readonly timing?: Partial<WebhookTiming>;
}

/**
 * Tells whoever a Release names of what happens to it. Releases that name the same webhook share its queue, so that it
 * hears everything in order. What was not sent when the process ends is not sent later: the journal has it all.
 */
export class ReleaseNotifier implements AsyncDisposable {
  readonly #options: NotifierOptions;
  readonly #channels = new Map<string, Channel>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  tell(turn: ReleaseTurn): void {
    const { notifications } = turn.plan.spec;
    if (notifications.length === 0) return;
    for (const notice of findNotices(turn)) {
      for (const notification of notifications) {
        if (isWanted(notification, notice.event)) this.#channelOf(notification).send(notice);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#channels.values()].map((channel) => channel[Symbol.asyncDispose]()));
  }

  #channelOf(notification: Notification): Channel {
    const key = keyOf(notification);
    const known = this.#channels.get(key);
    if (known !== undefined) return known;
    const channel = this.#open(notification);
    this.#channels.set(key, channel);
    return channel;
  }

  #open(notification: Notification): Channel {
    if (notification.kind === "log") return createLogChannel((line) => this.#options.print(line));
    const { url, secret } = notification;
    const { timing, addresses } = this.#options;
    return new WebhookChannel({
      url,
      addresses,
      readSecret: secret === undefined ? undefined : () => this.#options.readSecret(secret),
      warn: (message) => this.#options.warn(message),
      ...(timing === undefined ? {} : { timing }),
    });
  }
}

function isWanted(notification: Notification, event: ReturnType<typeof findNotices>[number]["event"]): boolean {
  return notification.kind === "log" || notification.events.length === 0 || notification.events.includes(event);
}

function keyOf(notification: Notification): string {
  return notification.kind === "log" ? "log" : JSON.stringify([notification.url, notification.secret ?? null]);
}
