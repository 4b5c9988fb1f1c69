import type { OutgoingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import { move, serveApi } from "../../test/api/served-api.ts";

const served = serveApi();

describe("who may ask", () => {
  test("without a token there is nothing to see", async () => {
    for (const path of ["/v1/status", "/v1/history", "/v1/samples", "/v1/events", "/v1/services/a/b"]) {
      expect(await served().call({ path })).toMatchObject({ status: 401, json: { code: "KIR5051" } });
    }
    for (const path of ["/v1/plan", "/v1/moves", "/v1/page-link"]) {
      const headers = { "content-type": "application/json" };
      expect(await served().call({ method: "POST", path, headers, body: move() })).toMatchObject({ status: 401 });
    }
    expect(served().backend.requests).toEqual([]);
  });

  test.each(["x", "Bearer", "Bearer  ", "Basic abc", `Bearer ${"a".repeat(43)}`])(
    "wrong token %j",
    async (authorization) => {
      expect(await served().call({ path: "/v1/status", headers: { authorization } })).toMatchObject({ status: 401 });
    },
  );

  test("the token opens it, under each of its own names", async () => {
    const { port } = new URL(served().api.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect(await served().call({ path: "/v1/status", headers: { ...served().authorized(), host } })).toMatchObject({
        status: 200,
      });
    }
  });

  test.each(["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", "0.0.0.0"])(
    "a foreign Host %j is turned away before the token is looked at (DNS rebinding)",
    async (host) => {
      const answer = await served().call({ path: "/v1/status", headers: { ...served().authorized(), host } });
      expect([400, 421]).toContain(answer.status);
      expect(answer.text).not.toContain("sample-app");
    },
  );

  test.each(["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1", "file://"])(
    "a foreign Origin %j cannot post, even with the token",
    async (origin) => {
      const answer = await served().call({
        method: "POST",
        path: "/v1/moves",
        headers: { ...served().asJson(), origin },
        body: move(),
      });
      expect(answer).toMatchObject({ status: 403, json: { code: "KIR5052" } });
      expect(served().backend.requests).toEqual([]);
    },
  );

  test("no answer invites other origins, and preflights find nothing", async () => {
    const answer = await served().call({ path: "/v1/status", headers: served().authorized() });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    const preflight = await served().call({
      method: "OPTIONS",
      path: "/v1/moves",
      headers: { origin: "http://evil.example" },
    });
    expect(preflight.status).toBe(403);
  });

  test("the cookie reads for its own page only, and never writes", async () => {
    const cookie = await served().signIn();
    const read = (headers: OutgoingHttpHeaders) =>
      served().call({ path: "/v1/status", headers: { cookie, ...headers } });
    expect(await read({ "sec-fetch-site": "same-origin" })).toMatchObject({ status: 200 });
    expect(await read({ "sec-fetch-site": "none" })).toMatchObject({ status: 200 });
    expect(await read({ origin: served().api.url })).toMatchObject({ status: 200 });
    // An app behind a gateway on another port of 127.0.0.1 is of the same site.
    expect(await read({ "sec-fetch-site": "same-site" })).toMatchObject({ status: 403 });
    expect(await read({ "sec-fetch-site": "cross-site" })).toMatchObject({ status: 403 });
    expect(await read({})).toMatchObject({ status: 403 });
    const headers = {
      cookie,
      origin: served().api.url,
      "sec-fetch-site": "same-origin",
      "content-type": "application/json",
    };
    const write = await served().call({ method: "POST", path: "/v1/moves", headers, body: move() });
    expect(write).toMatchObject({ status: 403, json: { code: "KIR5051" } });
    expect(served().backend.requests).toEqual([]);
  });
});

describe("signing a browser in", () => {
  test("a link works once, sets a strict cookie and hides its key", async () => {
    const { pathname, search } = new URL(served().api.pageUrl());
    const first = await served().call({ path: `${pathname}${search}` });
    expect(first).toMatchObject({ status: 303, headers: { location: "/" } });
    const { port } = new URL(served().api.url);
    expect(first.headers["set-cookie"]?.[0]).toMatch(
      new RegExp(`^kirikae_${port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`, "u"),
    );
    const again = await served().call({ path: `${pathname}${search}` });
    expect(again).toMatchObject({ status: 401 });
    expect(again.text).toContain("npx kirikae page");
    const cookie = first.headers["set-cookie"]?.[0]?.split(";")[0];
    expect(await served().call({ path: `${pathname}${search}`, headers: { cookie } })).toMatchObject({ status: 303 });
    expect(await served().call({ path: "/", headers: { cookie } })).toMatchObject({ status: 200 });
  });

  test.each(["/?key=", "/?key=x", "/?key=a&key=b", "/?key[]=a", "/"])("%s signs nobody in", async (path) => {
    const answer = await served().call({ path });
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test("a link that another site opened loads the page again as its own", async () => {
    const { pathname, search } = new URL(served().api.pageUrl());
    const headers = { "sec-fetch-site": "cross-site" };
    expect(await served().call({ path: `${pathname}${search}`, headers })).toMatchObject({ status: 303 });
    const withheld = await served().call({ path: "/", headers });
    expect(withheld.text).toContain('http-equiv="refresh"');
  });

  test("HEAD does not use a key up, and POST /v1/page-link makes a new one", async () => {
    const { pathname, search } = new URL(served().api.pageUrl());
    await served().call({ method: "HEAD", path: `${pathname}${search}` });
    expect(await served().call({ path: `${pathname}${search}` })).toMatchObject({ status: 303 });
    const link = await served().call({ method: "POST", path: "/v1/page-link", headers: served().asJson(), body: "{}" });
    expect(link.json.url).toMatch(new RegExp(`^${served().api.url}/\\?key=[\\w-]{43}$`, "u"));
  });

  test("every answer carries the strict policy", async () => {
    const paths = ["/", "/assets/page.js", "/v1/status", "/nowhere"];
    for (const path of paths) {
      const { headers } = await served().call({ path, headers: served().authorized() });
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
      expect(headers["content-security-policy"]).not.toContain("unsafe");
      expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    }
  });
});
