import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { JudgeQuestion } from "../core/manifest/release.ts";
import type { JudgeAnswer } from "../core/release/check/check-progress.ts";
import { askHttp } from "./ask-http.ts";

type HttpQuestion = Extract<JudgeQuestion, { kind: "http" }>;

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

const plain: HttpQuestion = {
  kind: "http",
  url: "http://127.0.0.1:1",
  method: "GET",
  headers: {},
  body: undefined,
  authentication: undefined,
  value: undefined,
};

/** What this listener's answer is taken for. */
async function judge(listener: RequestListener, question: Partial<HttpQuestion> = {}): Promise<JudgeAnswer> {
  const options = {
    timeoutMs: 300,
    signal: new AbortController().signal,
    readSecret: async () => "hunter2",
  };
  try {
    return await askHttp({ ...plain, url: await serve(listener), ...question }, options);
  } catch (error) {
    return { verdict: "unknown", detail: error instanceof Error ? error.message : String(error) };
  }
}

function answer(status: number, body = ""): RequestListener {
  return (_, response) => {
    response.writeHead(status, { location: "http://127.0.0.1:1/elsewhere" });
    response.end(body);
  };
}

const value = { path: "a.0.b", success: { operator: ">=", value: 2 } } as const;

test.each([
  [200, "pass"],
  [204, "pass"],
  [400, "fail"],
  [404, "fail"],
  [500, "fail"],
  [429, "unknown"],
  [502, "unknown"],
  [503, "unknown"],
  [301, "unknown"],
  [307, "unknown"],
])("without a value the status %i is %s", async (status, verdict) => {
  expect(await judge(answer(status))).toMatchObject({ verdict, detail: expect.stringContaining(String(status)) });
});

test.each([
  [200, '{"a":[{"b":2}]}', "pass", "2 is >= 2"],
  [200, '{"a":[{"b":"3"}]}', "pass", "3 is >= 2"],
  [200, '{"a":[{"b":1.5}]}', "fail", "1.5 is not >= 2"],
  [200, '{"a":[{"b":true}]}', "fail", "1 is not >= 2"],
  [200, '{"a":[{"b":null}]}', "unknown", "a.0.b of the answer is no number"],
  [200, '{"a":[{"b":"much"}]}', "unknown", "a.0.b of the answer is no number"],
  [200, '{"a":[]}', "unknown", "the answer has no a.0.b"],
  [200, "null", "unknown", "the answer has no a.0.b"],
  [200, "<html>", "unknown", "the answer is no JSON"],
  [200, "", "unknown", "the answer is no JSON"],
  [500, '{"a":[{"b":2}]}', "unknown", "the status is 500"],
])("with a value, %i %s is %s", async (...[status, body, verdict, detail]) => {
  expect(await judge(answer(status, body), { value })).toEqual({ verdict, detail });
});

test("only members of the answer itself are looked at", async () => {
  const path = { path: "__proto__.toString", success: value.success };
  expect(await judge(answer(200, "{}"), { value: path })).toMatchObject({ detail: expect.stringContaining("has no") });
});

const drip: RequestListener = (_, response) => {
  const timer = setInterval(() => response.write("1"), 20);
  response.on("close", () => clearInterval(timer));
};

const flood: RequestListener = (_, response) => {
  const chunk = Buffer.alloc(1024 * 1024, "1");
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", write);
  write();
};

const cut: RequestListener = (_, response) => {
  response.writeHead(200, { "content-length": "100" });
  response.write("{", () => response.destroy());
};

describe("a server that does not play along", () => {
  test("by not answering is given up after the timeout", async () => {
    expect(await judge(() => {})).toMatchObject({
      verdict: "unknown",
      detail: expect.stringMatching(/^127\.0\.0\.1:\d+ could not be asked: no answer within 0\.3 s$/u),
    });
  });

  test("by answering byte for byte is given up after the same time", async () => {
    expect(await judge(drip)).toMatchObject({ detail: expect.stringContaining("no answer within 0.3 s") });
  });

  test("by a body without an end is given up", async () => {
    expect(await judge(flood)).toMatchObject({
      verdict: "unknown",
      detail: expect.stringMatching(/longer than 4194304 bytes|no answer within/u),
    });
  });

  test("by closing in the middle says so", async () => {
    expect(await judge(cut, { value })).toMatchObject({
      verdict: "unknown",
      detail: expect.stringMatching(/aborted|hang up/u),
    });
  });

  test("by not being there says so", async () => {
    expect(await judge(answer(200), { url: "http://127.0.0.1:1/hooks/secret-path?token=hunter2" })).toEqual({
      verdict: "unknown",
      detail: "127.0.0.1:1 could not be asked: connect ECONNREFUSED 127.0.0.1:1",
    });
  });
});

test("the request is what the Release says, and its secret goes nowhere but to that address", async () => {
  const seen: unknown[] = [];
  const echo: RequestListener = (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { authorization, "x-team": team, "content-type": type } = request.headers;
      seen.push({ method: request.method, url: request.url, authorization, team, type, body });
      response.end();
    });
  };
  const url = `${await serve(echo)}/judge?version=green`;
  const question: Partial<HttpQuestion> = { url, method: "POST", headers: { "X-Team": "shop" }, body: '{"to":"grün"}' };
  const token = { kind: "environment", name: "TOKEN" } as const;
  await judge(echo, { ...question, authentication: { kind: "bearer", token } });
  await judge(echo, { ...question, authentication: { kind: "basic", username: "ann", password: token } });
  const sent = { method: "POST", url: "/judge?version=green", team: "shop", type: "application/json" };
  expect(seen).toEqual([
    { ...sent, authorization: "Bearer hunter2", body: '{"to":"grün"}' },
    { ...sent, authorization: `Basic ${Buffer.from("ann:hunter2").toString("base64")}`, body: '{"to":"grün"}' },
  ]);
});

test("a question that nobody waits for any more ends", async () => {
  const stop = new AbortController();
  const url = await serve(() => stop.abort());
  const asked = askHttp({ ...plain, url }, { timeoutMs: 60_000, signal: stop.signal, readSecret: async () => "" });
  await expect(asked).rejects.toThrow("could not be asked");
});
