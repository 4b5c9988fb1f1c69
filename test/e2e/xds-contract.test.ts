import { withVirtualHosts } from "../gateway-table.fixture.ts";
import { describeTarget, type TargetFixture } from "../contract/target.contract.ts";
import {
  buildRoute,
  buildTable,
  destinationId,
  GatewayClient,
  splitId,
  startBackend,
  XdsFixture,
} from "./xds-fixture.ts";

const secondSplit = "test/second/public";

describeTarget({ name: "the local Envoy", createFixture: createLocalEnvoy, timeoutMs: 10_000 });

async function createLocalEnvoy(): Promise<TargetFixture> {
  await using cleanup = new AsyncDisposableStack();
  const blue = cleanup.use(await startBackend("blue"));
  const green = cleanup.use(await startBackend("green"));
  const fixture = cleanup.use(await XdsFixture.open());
  const client = cleanup.use(new GatewayClient(fixture.port, 4));
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  const [listener] = table.listeners;
  if (listener === undefined) throw new Error("no listener");
  const second = {
    domain: "second.test",
    requiresHttps: false,
    routes: [buildRoute(secondSplit, { blue: 0, green: 100 })],
  };
  const target = await fixture.startTarget();
  await target.applyTable(
    withVirtualHosts(table, (virtualHosts) => [...virtualHosts, second]),
    new Map(),
  );
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  const owned = cleanup.move();
  return {
    target,
    splits: new Map([
      [splitId, { [destinationId("blue")]: 100, [destinationId("green")]: 0 }],
      [secondSplit, { [destinationId("blue")]: 0, [destinationId("green")]: 100 }],
    ]),
    async sendRequests(perSplit) {
      for (const host of ["app.test", "second.test"]) {
        await Promise.all(Array.from({ length: perSplit }, () => client.get("/", host)));
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
