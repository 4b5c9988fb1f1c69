import { describe, expect, test } from "vitest";
import { move, serveApi } from "../../test/api/served-api.ts";

const served = serveApi();

describe("hostile requests", () => {
  test("a body above 64 kB is refused", async () => {
    const body = JSON.stringify({ verb: "switch", name: "a".repeat(70_000), to: {}, actor: "x" });
    const answer = await served().call({ method: "POST", path: "/v1/moves", headers: served().asJson(), body });
    expect(answer).toMatchObject({ status: 413, json: { code: "KIR5054" } });
  });

  test.each([
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["multipart/form-data; boundary=x", 415],
    [undefined, 415],
  ])("content type %s is refused with %i", async (type, status) => {
    const headers = { ...served().authorized(), ...(type === undefined ? {} : { "content-type": type }) };
    expect(await served().call({ method: "POST", path: "/v1/moves", headers, body: move() })).toMatchObject({ status });
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
    const answer = await served().call({ method: "POST", path: "/v1/moves", headers: served().asJson(), body });
    expect(answer).toMatchObject({ status: 400, json: { code: "KIR5054", exitStatus: 2 } });
    expect(served().backend.requests).toEqual([]);
  });

  test.each(["/v1/nothing", "/../etc/passwd", "/assets/../server.ts", "/assets/%2e%2e/server.ts", "/%00", "/assets/"])(
    "%s is an unknown route",
    async (path) => {
      const answer = await served().call({ path, headers: served().authorized() });
      expect([400, 404]).toContain(answer.status);
      expect(answer.json.code).toMatch(/^KIR505[34]$/u);
    },
  );

  test("what is not HTTP gets a JSON answer and a closed line", async () => {
    const answer = await served().raw((socket) => socket.write("HELLO\r\n\r\n"));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /u);
    expect(answer).toContain("KIR5054");
  });

  test("a head above the limit is refused", async () => {
    const answer = await served().raw((socket) => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${served().ownHost()}\r\nX: ${"a".repeat(20_000)}\r\n\r\n`);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 431 /u);
  });

  test("a request that trickles in is cut off, in its head and in its body", async () => {
    await served().restart({ requestTimeoutMs: 400 });
    const head = await served().raw((socket) => socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-A: "));
    expect(head).toMatch(/^HTTP\/1\.1 408 /u);
    const lines = ["POST /v1/moves HTTP/1.1", `Host: ${served().ownHost()}`, `Authorization: Bearer ${served().token}`];
    const rest = ["Content-Type: application/json", "Content-Length: 1000", "", '{"verb":'];
    const body = await served().raw((socket) => socket.write([...lines, ...rest].join("\r\n")));
    expect(body).toMatch(/^HTTP\/1\.1 408 /u);
    expect(served().backend.requests).toEqual([]);
  });
});
