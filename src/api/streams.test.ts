import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { move, serveApi } from "../../test/api/served-api.ts";
import { connectApi } from "./client.ts";

const served = serveApi();

describe("moves", () => {
  test("each step is a line while it happens, and the result is the last", async () => {
    const held = Promise.withResolvers<void>();
    served().backend.mayEnd = held.promise;
    const seen: string[] = [];
    const client = await connectApi(served().files());
    const request = { ...JSON.parse(move()), namespace: undefined, route: undefined, reason: undefined };
    const result = client.move(request, (progress) => seen.push(progress.kind));
    await vi.waitFor(() => expect(seen).toEqual(["planned"]));
    held.resolve();
    expect(await result).toMatchObject({ ok: true, from: "blue", to: "green", ledger: { failed: 0 } });
    expect(seen).toEqual(["planned", "preflight", "applying", "proved", "counting", "finished"]);
  });

  test("a refusal before the first step is a plain error with its own code and details", async () => {
    const answer = await served().call({
      method: "POST",
      path: "/v1/moves",
      headers: served().asJson(),
      body: move("nobody"),
    });
    expect(answer).toMatchObject({
      status: 422,
      json: { code: "KIR2001", exitStatus: 2, details: { known: ["sample-app"] }, hint: "These exist: sample-app." },
    });
    const planned = await served().call({
      method: "POST",
      path: "/v1/plan",
      headers: served().asJson(),
      body: move("nobody"),
    });
    expect(planned).toMatchObject({ status: 422, json: { code: "KIR2001" } });
  });

  test("an error in the middle is the last line, and a defect's text stays inside", async () => {
    served().backend.failure = new TypeError("secret internals");
    const answer = await served().call({ method: "POST", path: "/v1/moves", headers: served().asJson(), body: move() });
    const lines = answer.text.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(["planned", "error"]);
    expect(answer.text).toContain("KIR5058");
    expect(answer.text).not.toContain("secret");
  });

  test("a reader that hangs up does not stop the move", async () => {
    const held = Promise.withResolvers<void>();
    served().backend.mayEnd = held.promise;
    const client = await connectApi(served().files());
    const detach = new AbortController();
    const request = { ...JSON.parse(move()), namespace: undefined, route: undefined, reason: undefined };
    const watched = client.move(request, () => detach.abort(), detach.signal);
    await expect(watched).rejects.toThrow(/./u);
    held.resolve();
    await vi.waitFor(() => expect(served().backend.live).toBe("green"));
  });

  test("a move in the middle of which the API stops is an error of the reader", async () => {
    served().backend.mayEnd = new Promise(() => {});
    const client = await connectApi(served().files());
    const request = { ...JSON.parse(move()), namespace: undefined, route: undefined, reason: undefined };
    const seen = Promise.withResolvers<void>();
    const result = client.move(request, () => seen.resolve());
    await seen.promise;
    const stopped = served().api[Symbol.asyncDispose]();
    await expect(result).rejects.toMatchObject({ code: "KIR5059", exitStatus: 3 });
    await stopped;
  });

  test("the marks of moves are remembered, and a refused plan leaves none", async () => {
    await served().call({ method: "POST", path: "/v1/moves", headers: served().asJson(), body: move() });
    const { json } = await served().call({ path: "/v1/samples", headers: served().authorized() });
    expect(json.moves).toEqual([
      expect.objectContaining({ virtualService: "sample-ns/sample-app", from: "blue", to: "green" }),
    ]);
    expect(json.moves[0].doneAtMs - json.moves[0].calledAtMs).toBeCloseTo(2.1, 1);
    expect(json.moves[0].result.ok).toBe(true);
  });
});

describe("events", () => {
  test("status comes first, then what happens", async () => {
    const client = await connectApi(served().files());
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of client.events(stop.signal)) {
      seen.push(event.event);
      if (seen.length === 1) served().backend.emit({ event: "sample", sample: served().backend.sampleAt(1000) });
      else stop.abort();
    }
    expect(seen).toEqual(["status", "sample"]);
  });

  test("a reader that does not read is cut off, and the others go on", async () => {
    await served().restart({ maxBufferedBytes: 50_000 });
    const socket = connect(Number(new URL(served().api.url).port), "127.0.0.1");
    socket.write(
      `GET /v1/events HTTP/1.1\r\nHost: ${served().ownHost()}\r\nAuthorization: Bearer ${served().token}\r\n\r\n`,
    );
    await once(socket, "readable");
    const client = await connectApi(served().files());
    const stop = new AbortController();
    let received = -1;
    const reader = (async () => {
      // The status that each stream begins with is the first.
      for await (const event of client.events(stop.signal)) received += event.event === "move" ? 0 : 1;
    })();
    await vi.waitFor(() => expect(received).toBe(0));
    const { services } = served().backend.sampleAt(1);
    const sample = { atMs: 1, services: Array.from({ length: 400 }, () => services).flat() };
    const emitted = 300;
    for (let count = 1; count <= emitted; count++) {
      served().backend.emit({ event: "sample", sample });
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
    await served().restart({ maxStreams: 2 });
    const client = await connectApi(served().files());
    const open = () => client.events(new AbortController().signal)[Symbol.asyncIterator]();
    const streams = [open(), open()];
    for (const stream of streams) expect((await stream.next()).value).toMatchObject({ event: "status" });
    await expect(open().next()).rejects.toMatchObject({ code: "KIR5055" });
    await served().api[Symbol.asyncDispose]();
    for (const stream of streams) expect(await stream.next()).toMatchObject({ done: true });
  });

  test("a quiet line is kept alive", async () => {
    await served().restart({ heartbeatMs: 20 });
    const socket = connect(Number(new URL(served().api.url).port), "127.0.0.1");
    socket.write(
      `GET /v1/events HTTP/1.1\r\nHost: ${served().ownHost()}\r\nAuthorization: Bearer ${served().token}\r\n\r\n`,
    );
    let content = "";
    socket.on("data", (chunk) => {
      content += String(chunk);
    });
    await vi.waitFor(() => expect(content).toContain(": heartbeat"));
    socket.destroy();
  });
});
