import { request } from "node:https";
import { text } from "node:stream/consumers";
import { connect } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { issueCertificate } from "./issue-certificate.ts";
import type { AdmissionAnswer, FailurePolicy } from "./admission-review.ts";
import { AdmissionServer } from "./admission-server.ts";

const hour = 3_600_000;
const name = "authority";
const validity = [new Date(Date.now() - hour), new Date(Date.now() + hour)] as const;
const authority = issueCertificate({ name, validity });
const served = issueCertificate({ name: "webhook", hosts: ["127.0.0.1"], issuer: { ...authority, name }, validity });

interface Setting {
  readonly judge?: (review: unknown, signal: AbortSignal) => Promise<AdmissionAnswer>;
  readonly failure?: FailurePolicy;
  readonly budgetMs?: number;
}

const notes: string[] = [];
let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
  notes.length = 0;
});

async function start({ judge, failure = "open", budgetMs = 1_000 }: Setting = {}): Promise<AdmissionServer> {
  const server = stack.use(
    await AdmissionServer.start({
      port: 0,
      host: "127.0.0.1",
      failure,
      budgetMs,
      judge: { judge: judge ?? (async () => ({ kind: "allowed", warnings: [] })) },
      onNote: (note) => void notes.push(note),
    }),
  );
  server.use(served);
  return server;
}

async function ask(
  { port }: AdmissionServer,
  body: string,
  { path = "/validate?timeout=3s", method = "POST" } = {},
): Promise<{ readonly status: number; readonly body: string }> {
  const sent = request({ host: "127.0.0.1", port, path, method, ca: authority.certificate, agent: false });
  sent.end(body);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  sent.on("error", reject);
  sent.on("response", (response) => {
    text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
  });
  return promise;
}

const object = { apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata: { name: "a" } };
const review = JSON.stringify({ kind: "AdmissionReview", request: { uid: "7", operation: "CREATE", object } });

test("it answers under the certificate that it was given", async () => {
  const { status, body } = await ask(await start(), review);
  expect(status).toBe(200);
  expect(JSON.parse(body).response).toEqual({ uid: "7", allowed: true });
});

describe("no client ends it", () => {
  test.each([
    { name: "nothing", body: "", expected: 400 },
    { name: "no JSON", body: "{", expected: 400 },
    {
      name: "deep JSON",
      body: `{"kind":"AdmissionReview","request":${"[".repeat(1e6)}${"]".repeat(1e6)}}`,
      expected: 400,
    },
    { name: "too much", body: "x".repeat(9 * 1024 * 1024), expected: 413 },
    { name: "another path", body: review, how: { path: "/../etc/passwd" }, expected: 404 },
    { name: "another method", body: "", how: { method: "GET" }, expected: 405 },
  ])("$name", async ({ body, how, expected }) => {
    const server = await start();
    // Whoever sends too much may be cut off before the answer has been read.
    const answer = await ask(server, body, how).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || error.code === "EPIPE") return { status: expected };
      throw error;
    });
    expect(answer.status).toBe(expected);
    expect((await ask(server, review)).status).toBe(200);
  });

  test("a path that is no address", async () => {
    expect((await ask(await start(), "", { path: "//" })).status).toBe(404);
    expect(notes).toEqual([]);
  });

  test("one that speaks no TLS", async () => {
    const server = await start();
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end("GET / HTTP/1.1\r\n\r\n".repeat(100));
    await once(socket, "close");
    expect((await ask(server, review)).status).toBe(200);
  });

  test("those that never finish their questions give way", async () => {
    const server = await start();
    const slow = Array.from({ length: 60 }, () => {
      const { port } = server;
      const path = "/validate";
      const sent = request({ host: "127.0.0.1", port, path, method: "POST", ca: authority.certificate, agent: false });
      sent.on("error", () => {});
      sent.write("{");
      return sent;
    });
    const closed = slow.map((sent) => new Promise<void>((resolve) => sent.once("close", () => resolve())));
    await Promise.all(closed.slice(0, 20));
    expect((await ask(server, review)).status).toBe(200);
    for (const sent of slow) sent.destroy();
    expect(notes).toEqual([]);
  });

  test("what throws is answered by policy, and written down", async () => {
    const server = await start({ failure: "closed", judge: () => Promise.reject(new RangeError("out of something")) });
    expect(JSON.parse((await ask(server, review)).body).response).toMatchObject({ allowed: false });
    expect(notes).toEqual([expect.stringContaining("out of something")]);
  });
});

test("who is too slow is answered by policy", async () => {
  const { promise, resolve } = Promise.withResolvers<AdmissionAnswer>();
  const server = await start({ budgetMs: 30, judge: () => promise });
  const { response } = JSON.parse((await ask(server, review)).body);
  expect(response).toMatchObject({ allowed: true, warnings: [expect.stringContaining("within 30 ms")] });
  resolve({ kind: "allowed", warnings: [] });
});

test("whoever judges hears that nobody waits any more, and the next question has its turn", async () => {
  const allowed: AdmissionAnswer = { kind: "allowed", warnings: [] };
  let asked = 0;
  const judge = async (_review: unknown, signal: AbortSignal): Promise<AdmissionAnswer> => {
    asked += 1;
    // The first never ends by itself.
    if (asked === 1) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return allowed;
  };
  const server = await start({ failure: "closed", budgetMs: 200, judge });
  expect(JSON.parse((await ask(server, review)).body).response).toMatchObject({ allowed: false });
  expect(JSON.parse((await ask(server, review)).body).response).toMatchObject({ allowed: true });
});

test("a new certificate is used by new connections", async () => {
  const server = await start();
  await ask(server, review);
  const other = issueCertificate({ name: "other", validity });
  server.use(
    issueCertificate({ name: "webhook", hosts: ["127.0.0.1"], issuer: { ...other, name: "other" }, validity }),
  );
  await expect(ask(server, review)).rejects.toThrow(/signature|issuer|verify/u);
});
