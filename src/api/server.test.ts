import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeBackend } from "../../test/api/fake-backend.ts";
import { connectApi } from "./client.ts";
import { startApi, type ApiLimits, type RunningApi } from "./server.ts";

let folder: string;
let backend: FakeBackend;
let api: RunningApi;
let token: string;
const defects: unknown[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kirikae-api-"));
  backend = new FakeBackend();
  await start({});
});

afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function start(limits: Partial<ApiLimits>): Promise<void> {
  api = await startApi(backend, { ...files(), limits, onDefect: (error) => defects.push(error) });
  token = (await readFile(files().tokenFile, "utf8")).trim();
}

async function restart(limits: Partial<ApiLimits>): Promise<void> {
  await api[Symbol.asyncDispose]();
  await start(limits);
}

function files() {
  return { tokenFile: join(folder, "token"), addressFile: join(folder, "api.json") };
}

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

/** A bare request: fetch would not let a test choose its Host, Origin or Sec-Fetch-Site. */
async function call({ method = "GET", path, headers = {}, body }: Call): Promise<Answer> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(`${api.url}${path}`, { method, headers, agent: false });
    outgoing.on("error", reject);
    outgoing.on("response", resolve);
    outgoing.end(body);
  });
  const content = await text(answer);
  const isJson = content !== "" && answer.headers["content-type"]?.startsWith("application/json") === true;
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text: content,
    json: isJson ? JSON.parse(content) : {},
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly json: ReturnType<typeof JSON.parse>;
}

async function raw(write: (socket: Socket) => void): Promise<string> {
  const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
  write(socket);
  return text(socket);
}

const authorized = () => ({ authorization: `Bearer ${token}` });
const asJson = () => ({ ...authorized(), "content-type": "application/json" });
const ownHost = () => new URL(api.url).host;
const move = (name = "sample-app") => JSON.stringify({ verb: "switch", name, to: { green: 100 }, actor: "tester" });

async function signIn(): Promise<string> {
  const { pathname, search } = new URL(api.pageUrl());
  const answer = await call({ path: `${pathname}${search}` });
  return answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

describe("files", () => {
  test("the token file is for this user alone, and both files leave with the API", async () => {
    expect((await stat(files().tokenFile)).mode & 0o777).toBe(0o600);
    expect(token).toMatch(/^[\w-]{43}$/u);
    expect(JSON.parse(await readFile(files().addressFile, "utf8"))).toEqual({ url: api.url, pid: process.pid });
    await api[Symbol.asyncDispose]();
    await expect(stat(files().tokenFile)).rejects.toThrow("ENOENT");
    await expect(stat(files().addressFile)).rejects.toThrow("ENOENT");
    expect(backend.listenerCount).toBe(0);
  });

  test("files that another run has written since stay", async () => {
    const other = await startApi(backend, files());
    await api[Symbol.asyncDispose]();
    expect((await stat(files().tokenFile)).isFile()).toBe(true);
    await other[Symbol.asyncDispose]();
  });

  test("a taken port is a clear refusal and leaves no file behind", async () => {
    const port = Number(new URL(api.url).port);
    const tokenFile = join(folder, "second");
    const refused = startApi(backend, { tokenFile, port });
    await expect(refused).rejects.toMatchObject({
      code: "KIR5056",
      exitStatus: 3,
      hint: expect.stringContaining("--port"),
    });
    await expect(stat(tokenFile)).rejects.toThrow("ENOENT");
  });
});

describe("who may ask", () => {
  test("without a token there is nothing to see", async () => {
    for (const path of ["/v1/status", "/v1/history", "/v1/samples", "/v1/events", "/v1/services/a/b"]) {
      expect(await call({ path })).toMatchObject({ status: 401, json: { code: "KIR5051" } });
    }
    for (const path of ["/v1/plan", "/v1/moves", "/v1/page-link"]) {
      const headers = { "content-type": "application/json" };
      expect(await call({ method: "POST", path, headers, body: move() })).toMatchObject({ status: 401 });
    }
    expect(backend.requests).toEqual([]);
  });

  test.each(["x", "Bearer", "Bearer  ", "Basic abc", `Bearer ${"a".repeat(43)}`])(
    "wrong token %j",
    async (authorization) => {
      expect(await call({ path: "/v1/status", headers: { authorization } })).toMatchObject({ status: 401 });
    },
  );

  test("the token opens it, under each of its own names", async () => {
    const { port } = new URL(api.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect(await call({ path: "/v1/status", headers: { ...authorized(), host } })).toMatchObject({ status: 200 });
    }
  });

  test.each(["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", "0.0.0.0"])(
    "a foreign Host %j is turned away before the token is looked at (DNS rebinding)",
    async (host) => {
      const answer = await call({ path: "/v1/status", headers: { ...authorized(), host } });
      expect([400, 421]).toContain(answer.status);
      expect(answer.text).not.toContain("sample-app");
    },
  );

  test.each(["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1", "file://"])(
    "a foreign Origin %j cannot post, even with the token",
    async (origin) => {
      const answer = await call({ method: "POST", path: "/v1/moves", headers: { ...asJson(), origin }, body: move() });
      expect(answer).toMatchObject({ status: 403, json: { code: "KIR5052" } });
      expect(backend.requests).toEqual([]);
    },
  );

  test("no answer invites other origins, and preflights find nothing", async () => {
    const answer = await call({ path: "/v1/status", headers: authorized() });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    const preflight = await call({ method: "OPTIONS", path: "/v1/moves", headers: { origin: "http://evil.example" } });
    expect(preflight.status).toBe(403);
  });

  test("the cookie reads for its own page only, and never writes", async () => {
    const cookie = await signIn();
    const read = (headers: OutgoingHttpHeaders) => call({ path: "/v1/status", headers: { cookie, ...headers } });
    expect(await read({ "sec-fetch-site": "same-origin" })).toMatchObject({ status: 200 });
    expect(await read({ "sec-fetch-site": "none" })).toMatchObject({ status: 200 });
    expect(await read({ origin: api.url })).toMatchObject({ status: 200 });
    // An app behind a gateway on another port of 127.0.0.1 is of the same site.
    expect(await read({ "sec-fetch-site": "same-site" })).toMatchObject({ status: 403 });
    expect(await read({ "sec-fetch-site": "cross-site" })).toMatchObject({ status: 403 });
    expect(await read({})).toMatchObject({ status: 403 });
    const headers = { cookie, origin: api.url, "sec-fetch-site": "same-origin", "content-type": "application/json" };
    const write = await call({ method: "POST", path: "/v1/moves", headers, body: move() });
    expect(write).toMatchObject({ status: 403, json: { code: "KIR5051" } });
    expect(backend.requests).toEqual([]);
  });
});

describe("signing a browser in", () => {
  test("a link works once, sets a strict cookie and hides its key", async () => {
    const { pathname, search } = new URL(api.pageUrl());
    const first = await call({ path: `${pathname}${search}` });
    expect(first).toMatchObject({ status: 303, headers: { location: "/" } });
    const { port } = new URL(api.url);
    expect(first.headers["set-cookie"]?.[0]).toMatch(
      new RegExp(`^kirikae_${port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`, "u"),
    );
    const again = await call({ path: `${pathname}${search}` });
    expect(again).toMatchObject({ status: 401 });
    expect(again.text).toContain("npx kirikae page");
    const cookie = first.headers["set-cookie"]?.[0]?.split(";")[0];
    expect(await call({ path: `${pathname}${search}`, headers: { cookie } })).toMatchObject({ status: 303 });
    expect(await call({ path: "/", headers: { cookie } })).toMatchObject({ status: 200 });
  });

  test.each(["/?key=", "/?key=x", "/?key=a&key=b", "/?key[]=a", "/"])("%s signs nobody in", async (path) => {
    const answer = await call({ path });
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test("a link that another site opened loads the page again as its own", async () => {
    const { pathname, search } = new URL(api.pageUrl());
    const headers = { "sec-fetch-site": "cross-site" };
    expect(await call({ path: `${pathname}${search}`, headers })).toMatchObject({ status: 303 });
    const withheld = await call({ path: "/", headers });
    expect(withheld.text).toContain('http-equiv="refresh"');
  });

  test("HEAD does not use a key up, and POST /v1/page-link makes a new one", async () => {
    const { pathname, search } = new URL(api.pageUrl());
    await call({ method: "HEAD", path: `${pathname}${search}` });
    expect(await call({ path: `${pathname}${search}` })).toMatchObject({ status: 303 });
    const link = await call({ method: "POST", path: "/v1/page-link", headers: asJson(), body: "{}" });
    expect(link.json.url).toMatch(new RegExp(`^${api.url}/\\?key=[\\w-]{43}$`, "u"));
  });

  test("every answer carries the strict policy", async () => {
    const paths = ["/", "/assets/page.js", "/v1/status", "/nowhere"];
    for (const path of paths) {
      const { headers } = await call({ path, headers: authorized() });
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
      expect(headers["content-security-policy"]).not.toContain("unsafe");
      expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    }
  });
});

describe("hostile requests", () => {
  test("a body above 64 kB is refused", async () => {
    const body = JSON.stringify({ verb: "switch", name: "a".repeat(70_000), to: {}, actor: "x" });
    const answer = await call({ method: "POST", path: "/v1/moves", headers: asJson(), body });
    expect(answer).toMatchObject({ status: 413, json: { code: "KIR5054" } });
  });

  test.each([
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["multipart/form-data; boundary=x", 415],
    [undefined, 415],
  ])("content type %s is refused with %i", async (type, status) => {
    const headers = { ...authorized(), ...(type === undefined ? {} : { "content-type": type }) };
    expect(await call({ method: "POST", path: "/v1/moves", headers, body: move() })).toMatchObject({ status });
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"verb":"delete","name":"a","to":{},"actor":"x"}',
    '{"verb":"switch","name":"","to":{},"actor":"x"}',
    '{"verb":"switch","name":"a","to":{"green":101},"actor":"x"}',
    '{"verb":"switch","name":"a","to":{"green":"100"},"actor":"x"}',
    '{"verb":"switch","name":"a","to":{},"actor":"x","more":1}',
    '{"verb":"switch","name":"a","to":{},"actor":"x","__proto__":{"a":1}}',
  ])("body %s is refused", async (body) => {
    const answer = await call({ method: "POST", path: "/v1/moves", headers: asJson(), body });
    expect(answer).toMatchObject({ status: 400, json: { code: "KIR5054", exitStatus: 2 } });
    expect(backend.requests).toEqual([]);
  });

  test.each(["/v1/nothing", "/../etc/passwd", "/assets/../server.ts", "/assets/%2e%2e/server.ts", "/%00", "/assets/"])(
    "%s is an unknown route",
    async (path) => {
      const answer = await call({ path, headers: authorized() });
      expect([400, 404]).toContain(answer.status);
      expect(answer.json.code).toMatch(/^KIR505[34]$/u);
    },
  );

  test("what is not HTTP gets a JSON answer and a closed line", async () => {
    const answer = await raw((socket) => socket.write("HELLO\r\n\r\n"));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /u);
    expect(answer).toContain("KIR5054");
  });

  test("a head above the limit is refused", async () => {
    const answer = await raw((socket) => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${ownHost()}\r\nX: ${"a".repeat(20_000)}\r\n\r\n`);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 431 /u);
  });

  test("a request that trickles in is cut off, in its head and in its body", async () => {
    await restart({ requestTimeoutMs: 400 });
    const head = await raw((socket) => socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-A: "));
    expect(head).toMatch(/^HTTP\/1\.1 408 /u);
    const lines = ["POST /v1/moves HTTP/1.1", `Host: ${ownHost()}`, `Authorization: Bearer ${token}`];
    const rest = ["Content-Type: application/json", "Content-Length: 1000", "", '{"verb":'];
    const body = await raw((socket) => socket.write([...lines, ...rest].join("\r\n")));
    expect(body).toMatch(/^HTTP\/1\.1 408 /u);
    expect(backend.requests).toEqual([]);
  });
});

describe("moves", () => {
  test("each step is a line while it happens, and the result is the last", async () => {
    const held = Promise.withResolvers<void>();
    backend.mayEnd = held.promise;
    const seen: string[] = [];
    const client = await connectApi(files());
    const request = { ...JSON.parse(move()), namespace: undefined, route: undefined, reason: undefined };
    const result = client.move(request, (progress) => seen.push(progress.kind));
    await vi.waitFor(() => expect(seen).toEqual(["planned"]));
    held.resolve();
    expect(await result).toMatchObject({ ok: true, from: "blue", to: "green", ledger: { failed: 0 } });
    expect(seen).toEqual(["planned", "preflight", "applying", "proved", "counting", "finished"]);
  });

  test("a refusal before the first step is a plain error with its own code and details", async () => {
    const answer = await call({ method: "POST", path: "/v1/moves", headers: asJson(), body: move("nobody") });
    expect(answer).toMatchObject({
      status: 422,
      json: { code: "KIR2001", exitStatus: 2, details: { known: ["sample-app"] }, hint: "These exist: sample-app." },
    });
    const planned = await call({ method: "POST", path: "/v1/plan", headers: asJson(), body: move("nobody") });
    expect(planned).toMatchObject({ status: 422, json: { code: "KIR2001" } });
  });

  test("an error in the middle is the last line, and a defect's text stays inside", async () => {
    backend.failure = new TypeError("secret internals");
    const answer = await call({ method: "POST", path: "/v1/moves", headers: asJson(), body: move() });
    const lines = answer.text.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(["planned", "error"]);
    expect(answer.text).toContain("KIR5058");
    expect(answer.text).not.toContain("secret");
  });

  test("a reader that hangs up does not stop the move", async () => {
    const held = Promise.withResolvers<void>();
    backend.mayEnd = held.promise;
    const client = await connectApi(files());
    const detach = new AbortController();
    const request = { ...JSON.parse(move()), namespace: undefined, route: undefined, reason: undefined };
    const watched = client.move(request, () => detach.abort(), detach.signal);
    await expect(watched).rejects.toThrow(/./u);
    held.resolve();
    await vi.waitFor(() => expect(backend.live).toBe("green"));
  });

  test("a move in the middle of which the API stops is an error of the reader", async () => {
    backend.mayEnd = new Promise(() => {});
    const client = await connectApi(files());
    const request = { ...JSON.parse(move()), namespace: undefined, route: undefined, reason: undefined };
    const seen = Promise.withResolvers<void>();
    const result = client.move(request, () => seen.resolve());
    await seen.promise;
    const stopped = api[Symbol.asyncDispose]();
    await expect(result).rejects.toMatchObject({ code: "KIR5059", exitStatus: 3 });
    await stopped;
  });

  test("the marks of moves are remembered, and a refused plan leaves none", async () => {
    await call({ method: "POST", path: "/v1/moves", headers: asJson(), body: move() });
    const { json } = await call({ path: "/v1/samples", headers: authorized() });
    expect(json.moves).toEqual([
      expect.objectContaining({ virtualService: "sample-ns/sample-app", from: "blue", to: "green" }),
    ]);
    expect(json.moves[0].doneAtMs - json.moves[0].calledAtMs).toBeCloseTo(2.1, 1);
    expect(json.moves[0].result.ok).toBe(true);
  });
});

describe("events", () => {
  test("status comes first, then what happens", async () => {
    const client = await connectApi(files());
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of client.events(stop.signal)) {
      seen.push(event.event);
      if (seen.length === 1) backend.emit({ event: "sample", sample: backend.sampleAt(1000) });
      else stop.abort();
    }
    expect(seen).toEqual(["status", "sample"]);
  });

  test("a reader that does not read is cut off, and the others go on", async () => {
    await restart({ maxBufferedBytes: 50_000 });
    const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: ${ownHost()}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await once(socket, "readable");
    const client = await connectApi(files());
    const stop = new AbortController();
    let received = -1;
    const reader = (async () => {
      // The status that each stream begins with is the first.
      for await (const event of client.events(stop.signal)) received += event.event === "move" ? 0 : 1;
    })();
    await vi.waitFor(() => expect(received).toBe(0));
    const { services } = backend.sampleAt(1);
    const sample = { atMs: 1, services: Array.from({ length: 400 }, () => services).flat() };
    const emitted = 300;
    for (let count = 1; count <= emitted; count++) {
      backend.emit({ event: "sample", sample });
      await vi.waitFor(() => expect(received).toBe(count), { interval: 1 });
    }
    stop.abort();
    await reader;
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
    });
    socket.on("error", () => {});
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
    });
    expect(bytes).toBeLessThan(emitted * JSON.stringify(sample).length);
  }, 30_000);

  test("streams are bounded, and end when the API stops", async () => {
    await restart({ maxStreams: 2 });
    const client = await connectApi(files());
    const open = () => client.events(new AbortController().signal)[Symbol.asyncIterator]();
    const streams = [open(), open()];
    for (const stream of streams) expect((await stream.next()).value).toMatchObject({ event: "status" });
    await expect(open().next()).rejects.toMatchObject({ code: "KIR5055" });
    await api[Symbol.asyncDispose]();
    for (const stream of streams) expect(await stream.next()).toMatchObject({ done: true });
  });

  test("a quiet line is kept alive", async () => {
    await restart({ heartbeatMs: 20 });
    const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: ${ownHost()}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    let content = "";
    socket.on("data", (chunk) => {
      content += String(chunk);
    });
    await vi.waitFor(() => expect(content).toContain(": heartbeat"));
    socket.destroy();
  });
});

describe("reading", () => {
  test("services by name, and the list of those that exist for an unknown one", async () => {
    const found = await call({ path: "/v1/services/sample-ns/sample-app", headers: authorized() });
    expect(found.json).toMatchObject({ virtualService: "sample-ns/sample-app", live: "blue" });
    const unknown = await call({ path: "/v1/services/sample-ns/nobody", headers: authorized() });
    expect(unknown).toMatchObject({ status: 404, json: { code: "KIR5060" } });
    expect(unknown.json.details.known).toContain("sample-ns/sample-app");
  });

  test("history by name", async () => {
    expect((await call({ path: "/v1/history?name=sample-app", headers: authorized() })).json).toHaveLength(1);
    expect((await call({ path: "/v1/history?name=other", headers: authorized() })).json).toEqual([]);
    expect(await call({ path: "/v1/history?nam=x", headers: authorized() })).toMatchObject({ status: 400 });
  });
});

describe("the client", () => {
  test("says that nothing runs: no files, files of a dead run, files that are not ours", async () => {
    await api[Symbol.asyncDispose]();
    await expect(connectApi(files())).rejects.toMatchObject({ code: "KIR5050", exitStatus: 3 });
    await writeFile(files().tokenFile, "x");
    for (const content of [
      "",
      "{}",
      "null",
      '{"url":"http://evil.example:80","pid":1}',
      '{"url":"http://127.0.0.1:1@x","pid":1}',
    ]) {
      await writeFile(files().addressFile, content);
      await expect(connectApi(files())).rejects.toMatchObject({ code: "KIR5050" });
    }
    await writeFile(files().addressFile, JSON.stringify({ url: api.url, pid: 1 }));
    const client = await connectApi(files());
    await expect(client.status()).rejects.toMatchObject({ code: "KIR5050", exitStatus: 3 });
  });
});
