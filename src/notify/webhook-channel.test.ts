import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, test, vi } from "vitest";
import type { ReleaseNotice } from "../core/release/describe/find-notices.ts";
import { WebhookChannel, type WebhookOptions, type WebhookTiming } from "./webhook-channel.ts";

const notice: ReleaseNotice = {
  version: 1,
  id: "r:1:waiting",
  event: "waiting",
  at: "2026-11-21T08:00:00.000Z",
  release: "shop/to-green",
  to: "green",
  phase: "awaiting",
  step: { number: 2, of: 3, kind: "approve" },
  message: "waits for 1 of 1 approvals",
  actor: null,
  reason: null,
};

function numbered(number: number): ReleaseNotice {
  return { ...notice, id: `r:${number}:waiting` };
}

interface Received {
  readonly id: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const away: Answer = (response) => void response.writeHead(302, { location: "/elsewhere" }).end();
const refuse: Answer = (response) => void response.writeHead(400).end();
const closing: Answer = (_, request) => void request.socket.destroy();
const hang: Answer = () => {};
const endless: Answer = (response) => void response.writeHead(200).write("a".repeat(1_000_000));
const noSecret = async (): Promise<string> => {
  throw new Error("the file /run/key cannot be opened");
};
const take: Answer = (response) => void response.writeHead(204).end();
const break500: Answer = (response) => void response.writeHead(500).end("no");

/** A receiver on loopback that answers each request as it is told, the last way for all that follow. */
class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly warnings: string[] = [];
  readonly answers: Answer[];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(...answers: readonly Answer[]) {
    this.answers = [...answers];
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("Not listening.");
    return `http://127.0.0.1:${address.port}/secret-path?key=opensesame`;
  }

  channel(timing: Partial<WebhookTiming> = {}, options: Partial<WebhookOptions> = {}): WebhookChannel {
    return new WebhookChannel({
      url: this.url,
      readSecret: undefined,
      warn: (message) => this.warnings.push(message),
      timing: { timeoutMs: 200, retryAfterMs: [10, 20], graceMs: 50, ...timing },
      ...options,
    });
  }

  get ids(): readonly string[] {
    return this.received.map(({ id }) => id);
  }

  async until(count: number): Promise<void> {
    await vi.waitFor(() => expect(this.received.length).toBeGreaterThanOrEqual(count), 3_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { id }: ReleaseNotice = JSON.parse(body);
    this.received.push({ id, body, headers: request.headers });
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    (answer ?? take)(response, request);
  }
}

test("a message has the documented shape and headers", async () => {
  await using receiver = await new Receiver(take).listen();
  await using channel = receiver.channel();
  channel.send(notice);
  await receiver.until(1);
  const [received] = receiver.received;
  expect(JSON.parse(received?.body ?? "")).toEqual(notice);
  expect(received?.headers).toMatchObject({
    "content-type": "application/json",
    "x-kirikae-event": "waiting",
    "x-kirikae-timestamp": expect.stringMatching(/^\d{10}$/u),
  });
  expect(received?.headers["x-kirikae-signature"]).toBeUndefined();
});

test("a signature is made anew for each message, with the secret of that moment", async () => {
  await using receiver = await new Receiver(take).listen();
  let secret = "opensesame";
  await using channel = receiver.channel({}, { readSecret: async () => secret });
  channel.send(notice);
  await receiver.until(1);
  secret = "renewed";
  channel.send(notice);
  await receiver.until(2);
  for (const [index, key] of ["opensesame", "renewed"].entries()) {
    const { body = "", headers } = receiver.received[index] ?? {};
    // As a receiver would check it, from what it got alone.
    const mac = createHmac("sha256", key)
      .update(`${String(headers?.["x-kirikae-timestamp"])}.${body}`)
      .digest("hex");
    expect(headers?.["x-kirikae-signature"]).toBe(`sha256=${mac}`);
  }
});

test("without its secret nothing is sent, and what is told holds no secret", async () => {
  await using receiver = await new Receiver(take).listen();
  await using channel = receiver.channel({}, { readSecret: noSecret });
  channel.send(notice);
  await vi.waitFor(() => expect(receiver.warnings).toHaveLength(1));
  expect(receiver.warnings[0]).toMatch(
    /^the webhook at 127\.0\.0\.1:\d+ is not told: the file \/run\/key cannot be opened$/u,
  );
  expect(receiver.received).toEqual([]);
});

describe("order", () => {
  test("is kept, however slow the first answer is", async () => {
    const slow: Answer = (response) => void setTimeout(() => take(response, undefined as never), 60);
    await using receiver = await new Receiver(slow, take).listen();
    await using channel = receiver.channel();
    for (const number of [1, 2, 3, 4]) channel.send(numbered(number));
    expect(receiver.received).toEqual([]);
    await receiver.until(4);
    expect(receiver.ids).toEqual(["r:1:waiting", "r:2:waiting", "r:3:waiting", "r:4:waiting"]);
  });

  test("is kept where a message has to be sent again", async () => {
    await using receiver = await new Receiver(break500, closing, take).listen();
    await using channel = receiver.channel();
    for (const number of [1, 2]) channel.send(numbered(number));
    await receiver.until(4);
    expect(receiver.ids).toEqual(["r:1:waiting", "r:1:waiting", "r:1:waiting", "r:2:waiting"]);
    expect(receiver.warnings).toEqual([]);
  });
});

describe("a webhook that does not work", () => {
  test("is told of once, is tried once for each later message, and counts as well again when one arrives", async () => {
    await using receiver = await new Receiver(break500).listen();
    await using channel = receiver.channel();
    for (const number of [1, 2, 3]) channel.send(numbered(number));
    await receiver.until(5);
    expect(receiver.ids).toEqual(["r:1:waiting", "r:1:waiting", "r:1:waiting", "r:2:waiting", "r:3:waiting"]);
    expect(receiver.warnings).toEqual([expect.stringContaining("is not told: it answers 500")]);
    receiver.answers.splice(0, 1, take, break500);
    channel.send(numbered(4));
    channel.send(numbered(5));
    await receiver.until(9);
    expect(receiver.ids.slice(5)).toEqual(["r:4:waiting", "r:5:waiting", "r:5:waiting", "r:5:waiting"]);
    await vi.waitFor(() => expect(receiver.warnings).toHaveLength(2));
    expect(receiver.warnings.join()).not.toContain("opensesame");
    expect(receiver.warnings.join()).not.toContain("secret-path");
  });

  test("is not asked again where it refuses the message itself, and is not followed elsewhere", async () => {
    await using receiver = await new Receiver(refuse, away, take).listen();
    await using channel = receiver.channel();
    for (const number of [1, 2, 3]) channel.send(numbered(number));
    await receiver.until(3);
    expect(receiver.ids).toEqual(["r:1:waiting", "r:2:waiting", "r:3:waiting"]);
    expect(receiver.warnings).toEqual([expect.stringContaining("it answers 400")]);
  });

  test("that hangs is left after the time limit, and one that answers without end too", async () => {
    await using receiver = await new Receiver(hang, endless).listen();
    await using channel = receiver.channel({ timeoutMs: 50, retryAfterMs: [] });
    channel.send(numbered(1));
    channel.send(numbered(2));
    await receiver.until(2);
    expect(receiver.warnings).toEqual([expect.stringContaining("no answer within 0.05 s")]);
  });

  test("whose port nobody listens on is told of", async () => {
    const receiver = await new Receiver().listen();
    await using channel = receiver.channel({ retryAfterMs: [] });
    await receiver[Symbol.asyncDispose]();
    channel.send(notice);
    await vi.waitFor(() => expect(receiver.warnings).toEqual([expect.stringContaining("ECONNREFUSED")]));
  });

  test("holds up nobody who stops: what is under way is given up after a moment", async () => {
    await using receiver = await new Receiver(hang).listen();
    const channel = receiver.channel({ timeoutMs: 60_000, retryAfterMs: [60_000], graceMs: 20 });
    channel.send(numbered(1));
    await receiver.until(1);
    const beganMs = performance.now();
    await channel[Symbol.asyncDispose]();
    expect(performance.now() - beganMs).toBeLessThan(5_000);
    channel.send(numbered(2));
    expect(receiver.ids).toEqual(["r:1:waiting"]);
    expect(receiver.warnings).toEqual([]);
  });

  test("lets so many messages wait and no more, the oldest going first", async () => {
    let open: (() => void) | undefined;
    const held: Answer = (response) => {
      open = () => take(response, undefined as never);
    };
    await using receiver = await new Receiver(held, take).listen();
    await using channel = receiver.channel({ timeoutMs: 5_000 });
    channel.send(numbered(0));
    await receiver.until(1);
    for (let number = 1; number <= 210; number += 1) channel.send(numbered(number));
    expect(receiver.warnings).toEqual([expect.stringContaining("more than 200 messages wait")]);
    open?.();
    await receiver.until(201);
    expect(receiver.ids[1]).toBe("r:11:waiting");
    expect(receiver.ids.at(-1)).toBe("r:210:waiting");
  });
});
