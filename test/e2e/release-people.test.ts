import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { ReleaseStatus } from "../../src/api/types.ts";
import { SampleMesh } from "../crash/sample-mesh.ts";
import { eventually, freePort } from "./product.ts";

interface Received {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** A receiver of webhooks on loopback that takes everything. */
async function receive(received: Received[]): Promise<{ readonly url: string } & AsyncDisposable> {
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    received.push({ body: await text(request), headers: request.headers });
    response.writeHead(204).end();
  };
  const server = createServer((request, response) => void take(request, response));
  const port = await freePort();
  await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${port}/hook`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A window of this minute in Tokyo that is over so long from now. */
function freezeFor(leftMs: number): string {
  const now = new Date();
  const tokyo = new Date(now.getTime() + 9 * 3_600_000);
  const day = `${tokyo.getUTCDate()} ${tokyo.getUTCMonth() + 1}`;
  const cron = `${tokyo.getUTCMinutes()} ${tokyo.getUTCHours()} ${day} *`;
  const durationMs = (now.getTime() % 60_000) + leftMs;
  return `{ cron: "${cron}", duration: ${durationMs}ms, timeZone: Asia/Tokyo, reason: weekend }`;
}

test("a yes expires over a restart, a freeze holds the next step, and who is named is told of each", async () => {
  const received: Received[] = [];
  await using receiver = await receive(received);
  await using mesh = await SampleMesh.create();
  const { sandbox } = mesh;
  const file = join(sandbox.root, "release.yaml");
  sandbox.write("key", "opensesame\n");
  writeFileSync(
    file,
    `
apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: to-green, namespace: sample-ns }
spec:
  routes: [{ virtualService: sample-app }]
  to: green
  strategy: { steps: [{ approve: { people: 2, expires: 5s } }, { switch: {} }] }
  freezes: [${freezeFor(600_000)}]
  notifications: [{ log: {} }, { webhook: { url: "${receiver.url}", secret: { fromFile: key } } }]
`,
  );
  const run = async (...args: readonly string[]): Promise<ReleaseStatus> => {
    const { stdout, stderr } = await sandbox.cli([...args, "--json"]);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  };

  const first = await sandbox.up({ args: mesh.args });
  const started = await sandbox.cli(["start", file]);
  expect(started.stdout).toMatch(/A freeze is in force until \S+ \(weekend\)/u);
  expect(await run("approve", "to-green", "--reason", "looks good")).toMatchObject({
    approval: { people: 2, given: [{ reason: "looks good" }] },
  });
  await first.kill();

  const second = await sandbox.up({ args: mesh.args });
  const expired = await eventually("the yes to expire", async () => {
    const status = await (await sandbox.api()).release("to-green", { live: false });
    return status.approval?.given.length === 0 ? status : undefined;
  });
  expect(expired.events.at(-1)).toMatchObject({ kind: "timeUp" });
  await run("approve", "to-green");
  const frozen = await run("approve", "to-green", "--as", "bob");
  expect(frozen).toMatchObject({ phase: "frozen", step: 2, message: "waits for the end of a freeze: weekend" });
  expect(await sandbox.cli(["promote", "to-green"])).toMatchObject({ exitCode: 1 });
  expect(await mesh.seen()).toEqual(new Set(["blue"]));
  const account = userInfo().username;
  expect(frozen.events.at(-1)).toMatchObject({ kind: "approve", actor: "bob", account });
  expect((await sandbox.cli(["list", "to-green"])).stdout).toContain(`approved by bob (account ${account})`);

  await run("promote", "to-green", "--despite-freeze", "--reason", "the shop is down");
  expect(await run("wait", "to-green", "--for", "done", "--timeout", "20s")).toMatchObject({ phase: "done" });
  expect(await mesh.seen()).toEqual(new Set(["green"]));
  const told = ["started", "waiting", "step", "waiting", "step", "done"];
  await eventually("the last message", async () => (received.length === told.length ? true : undefined));
  for (const { body, headers } of received) {
    const mac = createHmac("sha256", "opensesame").update(`${String(headers["x-kirikae-timestamp"])}.${body}`);
    expect(headers["x-kirikae-signature"]).toBe(`sha256=${mac.digest("hex")}`);
  }
  expect(received.map(({ body }) => JSON.parse(body).event)).toEqual(told);
  const lines = second.lines.filter(({ event }) => event === "notice").map(({ line }) => line);
  expect(lines).toContain("sample-ns/to-green waiting: waits for the end of a freeze: weekend (by bob)");
});
