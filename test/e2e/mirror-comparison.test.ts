import { once } from "node:events";
import { stat } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type ComparedRelease, MirrorComparer } from "../../src/app/local/mirror-comparer.ts";
import type { MirrorReport } from "../../src/core/release/mirror/mirror-report.ts";
import { addRoutes } from "../../src/core/routes/add-routes.ts";
import type { MirrorAddition } from "../../src/core/routes/route-addition.ts";
import { type LocalServer, startHttp } from "./echo-backend.ts";
import { buildTable, destinationId, splitId, XdsFixture } from "./xds-fixture.ts";

interface Seen {
  readonly line: string;
  readonly copyOf: string | undefined;
  readonly split: string | undefined;
  readonly body: string;
}

interface Version extends LocalServer {
  readonly seen: Seen[];
}

/** Answers JSON with its name, which is to be ignored, unless the path says otherwise. */
async function startVersion(name: string): Promise<Version> {
  const seen: Seen[] = [];
  const server = await startHttp((incoming, response) => {
    void (async () => {
      const chunks = await incoming.toArray();
      const { headers, method, url = "/" } = incoming;
      const copyOf = headers["x-kirikae-copy"]?.toString();
      const split = headers["x-kirikae-split"]?.toString();
      seen.push({ line: `${method} ${url}`, copyOf, split, body: Buffer.concat(chunks).toString() });
      if (url.startsWith("/slow") && name === "green") return;
      const status = url.startsWith("/broken") && name === "green" ? 500 : 200;
      const price = url.startsWith("/price") && name === "green" ? 2 : 1;
      response.writeHead(status, { "content-type": "application/json", "x-version": name });
      response.end(JSON.stringify({ version: name, items: [{ price }] }));
    })();
  });
  return { ...server, seen };
}

const release = "test/to-green";
const compared: ComparedRelease = {
  release,
  compare: { headers: [], body: true, ignoredFields: ["version"] },
  percent: 100,
  to: { [splitId]: destinationId("green") },
  live: { [splitId]: destinationId("blue") },
};

let stack: AsyncDisposableStack;
let fixture: XdsFixture;
let blue: Version;
let green: Version;
let comparer: MirrorComparer;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  blue = stack.use(await startVersion("blue"));
  green = stack.use(await startVersion("green"));
  fixture = stack.use(await XdsFixture.open());
  comparer = await startComparer();
  stack.defer(() => comparer[Symbol.asyncDispose]());
  const target = await fixture.startTarget();
  const mirror: MirrorAddition = {
    kind: "mirror",
    to: compared.to,
    percent: 100,
    methods: ["GET", "HEAD", "POST"],
    through: { comparer: comparer.destination, live: compared.live },
  };
  const versions = { blue: [blue.port], green: [green.port], gone: [1] };
  const table = buildTable({ versions, weights: { blue: 100, green: 0, gone: 0 } });
  await target.applyTable(addRoutes(table, [{ release, addition: mirror }]), new Map());
  await fixture.startEnvoy();
  expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
}, 60_000);

afterAll(() => stack.disposeAsync());

async function startComparer(): Promise<MirrorComparer> {
  return MirrorComparer.start({
    socketPath: join(fixture.folder, "comparer"),
    copiesSocket: fixture.copiesSocket(),
    timeoutMs: 500,
    onDefect: (error) => {
      throw error;
    },
  });
}

/** Begins to count anew. */
function begin(changes: Partial<ComparedRelease> = {}): void {
  comparer.compare([]);
  comparer.takeEnded(release);
  comparer.compare([{ ...compared, ...changes }]);
  blue.seen.length = 0;
  green.seen.length = 0;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function ask(path: string, { method = "GET", headers = {}, body = "" }: Sent = {}): Promise<number> {
  const where = { host: "127.0.0.1", port: fixture.port, path, method };
  const sent = request({ ...where, headers: { host: "app.test", "content-length": body.length, ...headers } });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  expect(Buffer.concat(await response.toArray()).toString()).toContain("blue");
  return response.statusCode ?? 0;
}

async function reportWhen(isThere: (report: MirrorReport) => boolean): Promise<MirrorReport> {
  return vi.waitFor(() => {
    const report = comparer.report(release);
    if (report === undefined || !isThere(report)) throw new Error(JSON.stringify(report));
    return report;
  }, 5_000);
}

test("both versions are asked what a visitor asked, and what they answer is compared", async () => {
  begin();
  for (let id = 1; id <= 5; id += 1) expect(await ask(`/items/${id}?q=1`)).toBe(200);
  expect(await ask("/price", { headers: { authorization: "Bearer secret" } })).toBe(200);
  expect(await ask("/broken?token=secret")).toBe(200);
  const report = await reportWhen(({ compared: count }) => count === 7);
  expect(report).toMatchObject({ copied: 7, same: 5, different: 2, dropped: 0, sentOnce: 0, unasked: 0 });
  expect(report.examples.toSorted((one, other) => one.path.localeCompare(other.path))).toEqual([
    {
      method: "GET",
      path: "/broken",
      liveStatus: 200,
      freshStatus: 500,
      differences: [{ kind: "status" }],
    },
    {
      method: "GET",
      path: "/price",
      liveStatus: 200,
      freshStatus: 200,
      differences: [{ kind: "body", field: "items.0.price" }],
    },
  ]);
  expect(report.sizing.paths[0]).toMatchObject({ path: "/items/*", requests: 5 });
  expect(report.latency).toMatchObject({ live: { count: 7 }, fresh: { count: 7 } });
  expect(JSON.stringify(report)).not.toContain("secret");
});

test("a copy says that it is one, and is in no number of a version", async () => {
  begin();
  const before = await fixture.target.stats();
  await ask("/one?q=1");
  await reportWhen(({ same }) => same === 1);
  const own = { line: "GET /one?q=1", copyOf: undefined, split: undefined, body: "" };
  const copy = { ...own, copyOf: release };
  expect(blue.seen).toEqual(expect.arrayContaining([own, copy]));
  expect(green.seen).toEqual([copy]);
  const after = await fixture.target.stats();
  const count = (stats: typeof after, subset: string) => stats?.get(destinationId(subset))?.requests ?? 0;
  expect(count(after, "blue") - count(before, "blue")).toBe(1);
  expect(count(after, "green") - count(before, "green")).toBe(0);
});

test("what may do something twice is sent to the new version alone, once and whole", async () => {
  begin();
  const body = "x".repeat(100_000);
  await ask("/order", { method: "POST", body });
  const report = await reportWhen(({ sentOnce }) => sentOnce === 1);
  expect(report).toMatchObject({ copied: 1, compared: 0 });
  expect(green.seen).toEqual([{ line: "POST /order", copyOf: release, split: undefined, body }]);
  expect(blue.seen).toHaveLength(1);
});

test("a visitor who forges what marks copies chooses nothing by it", async () => {
  begin();
  const forged = { "x-kirikae-copy": "test/other", "x-kirikae-split": "constructor", "x-kirikae-to": "gone" };
  expect(await ask("/items/1", { headers: forged })).toBe(200);
  expect(await reportWhen(({ compared: count }) => count === 1)).toMatchObject({ copied: 1, same: 1, unasked: 0 });
  expect(green.seen).toEqual([{ line: "GET /items/1", copyOf: release, split: undefined, body: "" }]);
});

test("a visitor with many cookies is compared like others", async () => {
  begin();
  expect(await ask("/items/1", { headers: { cookie: `a=${"b".repeat(40_000)}` } })).toBe(200);
  expect(await reportWhen(({ compared: count }) => count === 1)).toMatchObject({ copied: 1, same: 1, unasked: 0 });
});

test("only who runs kirikae reaches what takes copies", async () => {
  for (const path of [join(fixture.folder, "comparer"), fixture.copiesSocket()]) {
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }
});

test("a body that is too long is dropped, and the visitor's own request is not", async () => {
  begin();
  await ask("/order", { method: "POST", body: "x".repeat(2_000_000) });
  await reportWhen(({ dropped }) => dropped === 1);
  expect(green.seen).toEqual([]);
  expect(blue.seen).toHaveLength(1);
});

test("a new version that answers late, or not at all, is counted and met by nobody", async () => {
  begin();
  expect(await ask("/slow")).toBe(200);
  expect(await reportWhen(({ timeouts }) => timeouts.fresh === 1)).toMatchObject({
    compared: 0,
    timeouts: { live: 0 },
  });
  begin({ to: { [splitId]: destinationId("gone") } });
  expect(await ask("/one")).toBe(200);
  const { examples } = await reportWhen(({ different }) => different === 1);
  expect(examples).toMatchObject([{ liveStatus: 200, freshStatus: 503 }]);
});

test("more copies than can be sent on at once are dropped and counted", async () => {
  begin();
  const statuses = await Promise.all(Array.from({ length: 200 }, () => ask("/slow")));
  expect(statuses.every((status) => status === 200)).toBe(true);
  const report = await reportWhen(({ timeouts, dropped }) => timeouts.fresh + dropped >= 150);
  expect(report.dropped).toBeGreaterThan(0);
});

test("what ends is kept once, and copies of nobody's release are not sent on", async () => {
  begin();
  await ask("/one");
  await reportWhen(({ same }) => same === 1);
  comparer.compare([]);
  expect(comparer.report(release)).toBeUndefined();
  expect(comparer.takeEnded(release)).toMatchObject({ copied: 1, same: 1 });
  expect(comparer.takeEnded(release)).toBeUndefined();
  green.seen.length = 0;
  await ask("/one");
  expect(green.seen).toEqual([]);
});

test("nobody meets the end of what compares", async () => {
  await comparer[Symbol.asyncDispose]();
  const statuses = await Promise.all(Array.from({ length: 50 }, () => ask("/one")));
  expect(statuses.every((status) => status === 200)).toBe(true);
  comparer = await startComparer();
  begin();
  await vi.waitFor(async () => {
    await ask("/one");
    expect(comparer.report(release)?.same).toBeGreaterThan(0);
  }, 5_000);
});
