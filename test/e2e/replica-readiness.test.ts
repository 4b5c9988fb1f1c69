import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { LocalReplica } from "../../src/core/envoy/endpoints.ts";
import { inboundDestinationId, inboundListenerId } from "../../src/core/routes/inbound-names.ts";
import type { Destination, Listener, RouteTable } from "../../src/core/routes/route-table.ts";
import { drawsOf, logSeed } from "../crash/draws.ts";
import { rounds } from "../crash/rounds.ts";
import {
  type Answer,
  type Backend,
  buildDestination,
  buildTable,
  destinationId,
  startBackend,
  startLoad,
  XdsFixture,
} from "./xds-fixture.ts";

const workload = "test/app";
const port = 80;
const replicas = Array.from({ length: 40 }, (_, replica) => replica);

/** Replicas of a workload with a sidecar, which are reached through the listener before each; the first three run. */
function tableOfSidecars(): RouteTable {
  const table = buildTable({ versions: { blue: [], green: [] }, weights: { blue: 100, green: 0 } });
  const blue = buildDestination("blue", []);
  const endpoints = [{ kind: "localWorkload", name: workload, inboundPort: port }] as const;
  const inbound = replicas.map((replica): Destination => {
    const id = inboundDestinationId(workload, port, replica);
    return { ...blue, id, subset: undefined, endpoints: [{ kind: "localWorkload", name: workload, replica }] };
  });
  return {
    ...table,
    proxies: new Map([
      ...table.proxies,
      [workload, { id: workload, kind: "sidecar", namespace: "test", labels: {} } as const],
    ]),
    listeners: [...table.listeners, ...replicas.map((replica) => listenerBefore(replica))],
    destinations: new Map([
      ...table.destinations,
      [destinationId("blue"), { ...blue, endpoints }],
      ...inbound.map((destination) => [destination.id, destination] as const),
    ]),
  };
}

function listenerBefore(replica: number): Listener {
  const id = inboundListenerId(workload, port, replica);
  const destination = inboundDestinationId(workload, port, replica);
  const route = { destination, servicePort: port, retry: undefined };
  const serves = { kind: "inboundHttp", route } as const;
  return {
    id,
    proxy: workload,
    role: { kind: "inbound", replica },
    port,
    bind: undefined,
    filterChains: [{ id, servers: [], serverNames: [], tls: undefined, serves }],
  };
}

/** Every backend answers all the time, so whatever is lost was lost on the way. Returns what was. */
async function findLost(
  changes: (backends: readonly Backend[], draw: () => number) => Iterable<readonly LocalReplica[]>,
): Promise<readonly Answer[]> {
  await using cleanup = new AsyncDisposableStack();
  const backends = await Promise.all(["a", "b", "c", "d"].map((name) => startBackend(name)));
  for (const backend of backends) cleanup.use(backend);
  const fixture = cleanup.use(await XdsFixture.open());
  let now: readonly LocalReplica[] = replicas.slice(0, 3).map((replica) => at(backends[replica], replica));
  const target = await fixture.startTarget({ endpoints: () => now });
  await target.applyTable(tableOfSidecars(), new Map());
  await fixture.startEnvoy();
  expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  await fixture.whenLive();
  const load = startLoad(fixture.port, 32);
  const draw = drawsOf(logSeed());
  for (const next of changes(backends, draw)) {
    now = next;
    await target.updateEndpoints();
    await delay(draw() * 10);
  }
  const answers = await load.stop();
  expect(new Set(answers.map(({ body }) => body)).size).toBeGreaterThan(2);
  return answers.filter(({ status }) => status !== 200);
}

function at(backend: Backend | undefined, replica: number, isUnready = false): LocalReplica {
  return { address: "127.0.0.1", port: backend?.port ?? 0, replica, isUnready };
}

const count = rounds({ test: 200, soak: 3_000 });

test("a replica that gets ready and unready again loses no request that another could take", async () => {
  const lost = await findLost(function* toggles([a, b, c]) {
    for (let round = 0; round < count; round += 1) yield [at(a, 0), at(b, 1), at(c, 2, round % 2 === 0)];
  });
  expect(lost).toEqual([]);
}, 120_000);

test("a replica that is there and ready in one look loses no request", async () => {
  const lost = await findLost(function* grows(backends) {
    for (let there = 3; there <= replicas.length; there += 1) {
      yield replicas.slice(0, there).map((replica) => at(backends[replica % backends.length], replica));
    }
  });
  expect(lost).toEqual([]);
}, 120_000);
