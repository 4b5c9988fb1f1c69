import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { buildReplicaSpec, CommandReplica } from "./command-replica.ts";
import { FreePorts } from "./free-port.ts";
import { ProcessRegistry } from "./process-registry.ts";
import { ReadinessWatch } from "./readiness.ts";

/** Gives no port before it is told to. */
class SlowPorts extends FreePorts {
  readonly asked = Promise.withResolvers<void>();
  readonly given = Promise.withResolvers<void>();

  override async take(): Promise<number> {
    this.asked.resolve();
    await this.given.promise;
    return await super.take();
  }
}

test("a replica that is stopped in the middle of its start is not looked at any more", async () => {
  await using temp = await temporaryFolder();
  const ports = new SlowPorts();
  const readiness = { path: "/", intervalMs: 20, timeoutMs: 500 };
  const command = ["node", "-e", "setInterval(() => {}, 1_000)"];
  await using replica = new CommandReplica({
    spec: buildReplicaSpec({
      name: "ns/app",
      command: { command, workingDirectory: undefined, env: {}, replicas: 1, readiness },
      declaredIn: join(temp.path, "mesh.yaml"),
      mesh: undefined,
    }),
    index: 0,
    readiness,
    registry: ProcessRegistry.open(join(temp.path, "processes.json")),
    ports,
    logFolder: temp.path,
    graceMs: 2_000,
    onChange: () => {},
    onEvent: () => {},
  });
  const started = replica.start();
  await ports.asked.promise;
  const stopped = replica.stop();
  ports.given.resolve();
  await Promise.all([started, stopped]);
  const { address } = replica;
  if (address === undefined) throw new Error("it was given no port");
  // Whoever looks there now finds somebody else, who would be taken for the replica.
  const server = createServer((_request, response) => response.end());
  server.listen(address.port, address.host);
  await once(server, "listening");
  const checked = Promise.withResolvers<void>();
  let checks = 0;
  server.on("request", () => {
    checks += 1;
    if (checks === 5) checked.resolve();
  });
  using watch = new ReadinessWatch({ at: address, readiness, onChange: () => {} });
  await checked.promise;
  expect([watch.isReady, replica.isReady]).toEqual([true, false]);
  server.close();
  server.closeAllConnections();
});
