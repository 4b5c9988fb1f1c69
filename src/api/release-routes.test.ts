import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeBackend } from "../../test/api/fake-backend.ts";
import { sampleLive, sampleRelease, sampleStartMs } from "../../test/api/sample-release.ts";
import { connectApi } from "./client.ts";
import { startApi, type RunningApi } from "./server.ts";
import { summarizeRelease } from "./summarize-release.ts";

let folder: string;
let backend: FakeBackend;
let api: RunningApi;
let token: string;
const defects: unknown[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kirikae-releases-"));
  backend = new FakeBackend();
  api = await startApi(backend, { ...files(), onDefect: (error) => defects.push(error) });
  token = (await readFile(files().tokenFile, "utf8")).trim();
});

afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
  expect(defects.splice(0)).toEqual([]);
});

function files() {
  return { tokenFile: join(folder, "token"), addressFile: join(folder, "api.json") };
}

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

/** A bare request: fetch would not let a test choose its Host or Origin. */
async function call({ method = "GET", path, headers = {}, body }: Call) {
  const all = { authorization: `Bearer ${token}`, ...headers };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(`${api.url}${path}`, { method, headers: all, agent: false });
    outgoing.on("error", reject);
    outgoing.on("response", resolve);
    outgoing.end(body);
  });
  const content = await text(answer);
  const json: ReturnType<typeof JSON.parse> = content === "" ? {} : JSON.parse(content);
  return { status: answer.statusCode ?? 0, json };
}

const asJson = { "content-type": "application/json" };
const source = { path: "r.yaml", text: "kind: Release", actor: "ann" };
const orders = "/v1/releases/sample-ns/to-green/orders";
const post = (path: string, body: unknown) =>
  call({ method: "POST", path, headers: asJson, body: JSON.stringify(body) });

async function ids(query: string): Promise<readonly string[]> {
  const { json } = await call({ path: `/v1/releases${query}` });
  return json.map(({ id }: { readonly id: string }) => id);
}

describe("the list", () => {
  beforeEach(() => {
    backend.releases.all = [1, 2, 3, 4].map((number) =>
      sampleRelease({
        id: `r${number}`,
        release: `sample-ns/release-${number}`,
        phase: number % 2 === 0 ? "holding" : "done",
      }),
    );
    backend.releases.live = sampleLive(10);
  });

  test("is newest first, page by page, and holds no plan and no events", async () => {
    expect(await ids("")).toEqual(["r4", "r3", "r2", "r1"]);
    expect(await ids("?limit=2")).toEqual(["r4", "r3"]);
    expect(await ids("?limit=2&before=r3")).toEqual(["r2", "r1"]);
    expect(await ids("?before=r1")).toEqual([]);
    expect(await ids("?before=unknown")).toEqual([]);
    expect(await ids("?active=true")).toEqual(["r4", "r2"]);
    expect(await ids("?active=true&limit=1&before=r4")).toEqual(["r2"]);
    const [newest] = (await call({ path: "/v1/releases" })).json;
    expect(newest).not.toHaveProperty("plan");
    expect(newest).not.toHaveProperty("events");
    expect(newest).toMatchObject({ lastEvent: { kind: "moved" }, live: null });
  });

  test("asks the proxies only when it is asked to, and only for what it lists", async () => {
    await ids("?active=true");
    expect(backend.releases.looks).toEqual([]);
    const { json } = await call({ path: "/v1/releases?live=true&limit=2" });
    expect(backend.releases.looks).toEqual([["r4", "r3"]]);
    expect(json).toMatchObject([{ live: { rules: [{ isAsWanted: true }] } }, { live: null }]);
  });

  test.each([
    "?limit=0",
    "?limit=-1",
    "?limit=1e3",
    "?limit=1000",
    "?limit=",
    "?active=1",
    "?live=yes",
    "?nope=1",
    "?before=" + "x".repeat(300),
  ])("%s is refused", async (query) => {
    expect(await call({ path: `/v1/releases${query}` })).toMatchObject({ status: 400, json: { code: "KIR5054" } });
  });
});

describe("one release", () => {
  beforeEach(() => {
    backend.releases.all = [sampleRelease(), sampleRelease({ id: "r2", release: "other/to-green" })];
    backend.releases.live = sampleLive(10);
  });

  test("is whole: its plan, its events and what the proxies do", async () => {
    const { status, json } = await call({ path: "/v1/releases/sample-ns/to-green" });
    expect(status).toBe(200);
    expect(json).toMatchObject({ id: "r1", plan: { to: "green" }, live: sampleLive(10) });
    expect(json.events).toHaveLength(2);
  });

  test("leaves the proxies alone where nobody wants to see them", async () => {
    expect((await call({ path: "/v1/releases/sample-ns/to-green?live=false" })).json.live).toBeNull();
    expect((await call({ path: "/v1/releases/to-green?namespace=other&live=false" })).json.live).toBeNull();
    expect(backend.releases.looks).toEqual([]);
  });

  test("is found by its name alone where that is clear", async () => {
    expect(await call({ path: "/v1/releases/to-green?namespace=other" })).toMatchObject({ json: { id: "r2" } });
    expect(await call({ path: "/v1/releases/to-green" })).toMatchObject({
      status: 422,
      json: { code: "KIR2036", details: { candidates: ["sample-ns/to-green", "other/to-green"] } },
    });
  });

  test.each([
    "/v1/releases/sample-ns/nope",
    "/v1/releases/nope",
    "/v1/releases/sample-ns/%00",
    "/v1/releases/__proto__/constructor",
    `/v1/releases/a/${encodeURIComponent("<script>alert(1)</script>")}`,
  ])("%s is unknown, and the answer lists what there is", async (path) => {
    expect(await call({ path })).toMatchObject({
      status: 422,
      json: { code: "KIR2035", details: { known: ["sample-ns/to-green", "other/to-green"] } },
    });
  });

  test("a name that is no text, or longer than one can be, has no route", async () => {
    expect((await call({ path: "/v1/releases/a/%ff" })).status).toBe(400);
    expect((await call({ path: `/v1/releases/a/${"x".repeat(300)}` })).status).toBe(414);
  });
});

describe("what writes", () => {
  beforeEach(() => {
    backend.releases.all = [sampleRelease()];
  });

  test("starts, plans and orders what the body says", async () => {
    expect(await post("/v1/releases/plan", source)).toMatchObject({ status: 200, json: { to: "green" } });
    expect(await post("/v1/releases", { ...source, reason: "12" })).toMatchObject({ status: 200, json: { id: "r2" } });
    expect(backend.releases.sources).toEqual([source, { ...source, reason: "12" }]);
    await post(orders, { command: { kind: "promote" }, actor: "ann" });
    await post(orders, { command: { kind: "promote", full: true }, actor: "ann", reason: "good" });
    expect(backend.releases.orders).toEqual([
      { name: "sample-ns/to-green", command: { kind: "promote", full: false }, actor: "ann" },
      { name: "sample-ns/to-green", command: { kind: "promote", full: true }, actor: "ann", reason: "good" },
    ]);
  });

  test.each([
    ["nothing", "/v1/releases", {}],
    ["a list", "/v1/releases", [source]],
    ["text that is a number", "/v1/releases", { ...source, text: 7 }],
    ["an empty actor", "/v1/releases", { ...source, actor: "" }],
    ["a member that is not known", "/v1/releases", { ...source, force: true }],
    ["a prototype", "/v1/releases", JSON.parse('{"path":"r","text":"x","actor":"a","constructor":{"prototype":{}}}')],
    ["a reason of a thousand letters too many", "/v1/releases", { ...source, reason: "x".repeat(1_001) }],
    ["no command", orders, { actor: "ann" }],
    ["a command that does not exist", orders, { command: { kind: "destroy" }, actor: "ann" }],
    ["a command as text", orders, { command: "promote", actor: "ann" }],
    ["no actor", orders, { command: { kind: "promote" } }],
    ["a member of the command that is not known", orders, { command: { kind: "abort", all: true }, actor: "ann" }],
  ])("%s is refused, and nothing is started or ordered", async (_name, path, body) => {
    expect(await post(path, body)).toMatchObject({ status: 400, json: { code: "KIR5054" } });
    expect(backend.releases.sources).toEqual([]);
    expect(backend.releases.orders).toEqual([]);
  });

  test("bodies that are no JSON, of another type, or too large are refused", async () => {
    const path = "/v1/releases";
    const send = (body: string, type = "application/json") =>
      call({ method: "POST", path, headers: { "content-type": type }, body });
    expect((await send("{")).status).toBe(400);
    expect((await send("path=r", "application/x-www-form-urlencoded")).status).toBe(415);
    expect((await send(JSON.stringify(source), "text/plain")).status).toBe(415);
    expect((await send(JSON.stringify({ ...source, text: "x".repeat(2 * 1024 * 1024) }))).status).toBe(413);
    expect(backend.releases.sources).toEqual([]);
  });

  test("what a release refuses keeps its code", async () => {
    backend.releases.all = [sampleRelease({ phase: "done" })];
    expect(await post(orders, { command: { kind: "promote" }, actor: "ann" })).toMatchObject({
      status: 409,
      json: { code: "KIR2034", exitStatus: 1 },
    });
    const unknown = "/v1/releases/sample-ns/nope/orders";
    expect(await post(unknown, { command: { kind: "promote" }, actor: "ann" })).toMatchObject({
      json: { code: "KIR2035" },
    });
  });

  test.each([
    ["PUT", "/v1/releases"],
    ["DELETE", "/v1/releases/sample-ns/to-green"],
    ["PATCH", "/v1/releases/sample-ns/to-green"],
    ["GET", orders],
    ["POST", "/v1/releases/sample-ns/to-green"],
    ["HEAD", "/v1/releases"],
    ["OPTIONS", "/v1/releases"],
  ])("%s %s is no way to ask", async (method, path) => {
    expect((await call({ method, path })).status).toBe(404);
  });

  test.each([
    ["/v1/releases", source],
    ["/v1/releases/plan", source],
    [orders, { command: { kind: "abort" }, actor: "eve" }],
  ])("%s takes no foreign name, no foreign page and no wrong token", async (path, body) => {
    const send = async (headers: OutgoingHttpHeaders): Promise<number> => {
      const answer = await call({
        method: "POST",
        path,
        headers: { ...asJson, ...headers },
        body: JSON.stringify(body),
      });
      return answer.status;
    };
    expect(await send({ host: "evil.example" })).toBe(421);
    expect(await send({ origin: "http://evil.example" })).toBe(403);
    expect(await send({ origin: "null" })).toBe(403);
    expect(await send({ authorization: "Bearer wrong" })).toBe(401);
    expect(await send({ authorization: "" })).toBe(401);
    expect(backend.releases.sources).toEqual([]);
    expect(backend.releases.orders).toEqual([]);
  });
});

function own(): OutgoingHttpHeaders {
  return { origin: api.url, "sec-fetch-site": "same-origin" };
}

/** The cookie of a browser that `bob` was given a link for. */
async function signIn(): Promise<string> {
  const url = new URL((await post("/v1/page-link", { actor: "bob" })).json.url);
  const answer = await fetch(url, { redirect: "manual" });
  return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

const sendAs = (path: string, headers: OutgoingHttpHeaders, body: unknown) =>
  call({ method: "POST", path, headers: { authorization: "", ...asJson, ...headers }, body: JSON.stringify(body) });

describe("the page", () => {
  beforeEach(() => {
    backend.releases.all = [sampleRelease()];
  });

  test("orders in the name of whom its link was made for, whatever it says", async () => {
    const cookie = await signIn();
    const answer = await sendAs(orders, { ...own(), cookie }, { command: { kind: "approve" }, actor: "ann" });
    expect(answer.status).toBe(200);
    expect(backend.releases.orders).toMatchObject([{ actor: "bob", command: { kind: "approve" } }]);
    const headers = { authorization: "", cookie, "sec-fetch-site": "same-origin" };
    expect(await call({ path: "/v1/session", headers })).toMatchObject({ json: { actor: "bob" } });
    await call({ path: "/v1/releases/sample-ns/to-green/choices?actor=ann", headers });
    expect(backend.releases.askedFor).toEqual(["bob"]);
  });

  test("starts nothing, plans nothing and makes no links", async () => {
    const cookie = await signIn();
    for (const [path, body] of [
      ["/v1/releases", source],
      ["/v1/releases/plan", source],
      ["/v1/page-link", {}],
    ] as const) {
      expect(await sendAs(path, { ...own(), cookie }, body)).toMatchObject({ status: 403, json: { code: "KIR5051" } });
    }
    expect(backend.releases.sources).toEqual([]);
  });

  test.each<[string, () => OutgoingHttpHeaders]>([
    ["no word of where it comes from", () => ({})],
    ["an origin alone", () => ({ origin: api.url })],
    ["no origin", () => ({ "sec-fetch-site": "same-origin" })],
    ["what a user has typed", () => ({ origin: api.url, "sec-fetch-site": "none" })],
    ["the same machine on another port", () => ({ origin: api.url, "sec-fetch-site": "same-site" })],
    ["another site", () => ({ origin: "http://evil.example", "sec-fetch-site": "cross-site" })],
  ])("an order with %s is refused", async (_name, headers) => {
    const cookie = await signIn();
    const answer = await sendAs(orders, { ...headers(), cookie }, { command: { kind: "abort" } });
    expect(answer).toMatchObject({ status: 403, json: { code: "KIR5052" } });
    expect(backend.releases.orders).toEqual([]);
  });

  test("a form of another page cannot order", async () => {
    const cookie = await signIn();
    const headers = { authorization: "", ...own(), cookie, "content-type": "text/plain" };
    const body = JSON.stringify({ command: { kind: "abort" } });
    expect((await call({ method: "POST", path: orders, headers, body })).status).toBe(415);
  });
});

test("the stream tells of a release without its plan", async () => {
  const client = await connectApi(files());
  const stop = new AbortController();
  const release = sampleRelease({ lastEvent: { kind: "timeUp", atMs: sampleStartMs + 5_000 } });
  for await (const event of client.events(stop.signal)) {
    if (event.event === "status") backend.emit({ event: "release", release: summarizeRelease(release) });
    if (event.event !== "release") continue;
    expect(event.release).toMatchObject({ id: "r1", lastEvent: { kind: "timeUp" } });
    expect(event.release).not.toHaveProperty("plan");
    stop.abort();
  }
});
