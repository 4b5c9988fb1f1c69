import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serveApi } from "../../test/api/served-api.ts";
import { connectApi } from "./client.ts";
import { startApi } from "./server.ts";

const served = serveApi();

describe("files", () => {
  test("the token file is for this user alone, and both files leave with the API", async () => {
    expect((await stat(served().files().tokenFile)).mode & 0o777).toBe(0o600);
    expect(served().token).toMatch(/^[\w-]{43}$/u);
    expect(JSON.parse(await readFile(served().files().addressFile, "utf8"))).toEqual({
      url: served().api.url,
      pid: process.pid,
    });
    await served().api[Symbol.asyncDispose]();
    await expect(stat(served().files().tokenFile)).rejects.toThrow("ENOENT");
    await expect(stat(served().files().addressFile)).rejects.toThrow("ENOENT");
    expect(served().backend.listenerCount).toBe(0);
  });

  test("files that another run has written since stay", async () => {
    const other = await startApi(served().backend, served().files());
    await served().api[Symbol.asyncDispose]();
    expect((await stat(served().files().tokenFile)).isFile()).toBe(true);
    await other[Symbol.asyncDispose]();
  });

  test("a taken port is a clear refusal and leaves no file behind", async () => {
    const port = Number(new URL(served().api.url).port);
    const tokenFile = join(served().folder, "second");
    const refused = startApi(served().backend, { tokenFile, port });
    await expect(refused).rejects.toMatchObject({
      code: "KIR5056",
      exitStatus: 3,
      hint: expect.stringContaining("--port"),
    });
    await expect(stat(tokenFile)).rejects.toThrow("ENOENT");
  });
});

describe("reading", () => {
  test("services by name, and the list of those that exist for an unknown one", async () => {
    const found = await served().call({ path: "/v1/services/sample-ns/sample-app", headers: served().authorized() });
    expect(found.json).toMatchObject({ virtualService: "sample-ns/sample-app", live: "blue" });
    const unknown = await served().call({ path: "/v1/services/sample-ns/nobody", headers: served().authorized() });
    expect(unknown).toMatchObject({ status: 404, json: { code: "KIR5060" } });
    expect(unknown.json.details.known).toContain("sample-ns/sample-app");
  });

  test("history by name", async () => {
    expect(
      (await served().call({ path: "/v1/history?name=sample-app", headers: served().authorized() })).json,
    ).toHaveLength(1);
    expect((await served().call({ path: "/v1/history?name=other", headers: served().authorized() })).json).toEqual([]);
    expect(await served().call({ path: "/v1/history?nam=x", headers: served().authorized() })).toMatchObject({
      status: 400,
    });
  });
});

describe("the client", () => {
  test("says that nothing runs: no files, files of a dead run, files that are not ours", async () => {
    await served().api[Symbol.asyncDispose]();
    await expect(connectApi(served().files())).rejects.toMatchObject({ code: "KIR5050", exitStatus: 3 });
    await writeFile(served().files().tokenFile, "x");
    for (const content of [
      "",
      "{}",
      "null",
      '{"url":"http://evil.example:80","pid":1}',
      '{"url":"http://127.0.0.1:1@x","pid":1}',
    ]) {
      await writeFile(served().files().addressFile, content);
      await expect(connectApi(served().files())).rejects.toMatchObject({ code: "KIR5050" });
    }
    await writeFile(served().files().addressFile, JSON.stringify({ url: served().api.url, pid: 1 }));
    const client = await connectApi(served().files());
    await expect(client.status()).rejects.toMatchObject({ code: "KIR5050", exitStatus: 3 });
  });
});
