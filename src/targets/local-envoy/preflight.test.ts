import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sketchTable } from "../../../test/route-table.fixture.ts";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { Destination } from "../../core/routes/route-table.ts";
import { checkDestinations } from "./preflight.ts";

const servers: Server[] = [];
let healthy = 0;
let broken = 0;
let hanging = 0;

async function serve(status: number | undefined): Promise<number> {
  const server = createServer((_, response) => {
    if (status !== undefined) response.writeHead(status).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server on a port has such an address.
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  [healthy, broken, hanging] = [await serve(200), await serve(500), await serve(undefined)];
});

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const sketched = sketchTable([{ name: "shop/web", rules: [{ arms: { "app/blue": 0, "app/green": 100 } }] }]);
const id = "outbound|80|blue|app.shop.svc.cluster.local";

async function ask(ports: readonly number[], asks?: MovePlan["asks"]): ReturnType<typeof checkDestinations> {
  const destination = sketched.destinations.get(id);
  if (destination === undefined) throw new Error("The sketch has no such destination.");
  const behind: Destination = {
    ...destination,
    endpoints: ports.map((port) => ({ kind: "address", address: "127.0.0.1", port, weight: 1 })),
  };
  const table = { ...sketched, destinations: new Map([[id, behind]]) };
  const change = { split: "s", rule: 0, ruleName: undefined, role: "public", declared: {} } as const;
  const plan: MovePlan = {
    verb: "rollback",
    virtualService: "shop/web",
    from: "green",
    to: "blue",
    changes: [{ ...change, before: { [id]: 0, other: 100 }, after: { [id]: 100, other: 0 } }],
    stays: [],
    versions: [{ name: "blue", destinations: [id] }],
    actor: "ann",
    reason: undefined,
    ...(asks === undefined ? {} : { asks }),
  };
  return await checkDestinations(plan, table, () => []);
}

test("a move asks every replica, and one that is broken refuses it", async () => {
  expect(await ask([healthy])).toMatchObject({ ok: true });
  expect(await ask([healthy, broken])).toMatchObject({ ok: false });
});

test("a way back asks for one that answers, and waits for no other", async () => {
  const startMs = performance.now();
  expect(await ask([hanging, broken, healthy], "any")).toMatchObject({
    ok: true,
    checks: [{ detail: "3 ready" }, { name: `answer of 127.0.0.1:${healthy}`, verdict: "pass" }],
  });
  expect(performance.now() - startMs).toBeLessThan(1_000);
});

test("a way back to a version of which none answers says what each has said", async () => {
  const { ok, checks } = await ask([broken, broken], "any");
  expect(ok).toBe(false);
  expect(checks.filter(({ verdict }) => verdict === "fail")).toHaveLength(2);
  expect(await ask([], "any")).toMatchObject({ ok: false, checks: [{ detail: `${id} has no ready endpoint` }] });
});

test("a way back at once asks nobody", async () => {
  expect(await ask([], "none")).toEqual({ ok: true, checks: [] });
});
