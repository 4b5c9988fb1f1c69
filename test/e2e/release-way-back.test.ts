import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ReleaseStatus } from "../../src/api/types.ts";
import { expectNothingLost, SampleMesh } from "../crash/sample-mesh.ts";
import { eventually } from "./product.ts";

/** The example's app, which does not start while `hold-COLOR` is there. */
const heldApp = `
import { existsSync } from "node:fs";
import { createServer } from "node:http";

const color = process.env.COLOR;
if (existsSync("hold-" + color)) process.exit(1);
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "x-color": color });
  response.end();
});
process.once("SIGTERM", () => process.exit(0));
// Never closed while idle, because a proxy may be sending the next request just then; node does it after six seconds.
server.keepAliveTimeout = 0;
server.listen(Number(process.env.PORT), "127.0.0.1");
`;

const release = (strategy: string): string => `
apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: to-green, namespace: sample-ns }
spec: { routes: [{ virtualService: sample-app }], to: green, strategy: ${strategy} }
`;

class WayBackMesh {
  readonly mesh: SampleMesh;

  constructor(mesh: SampleMesh) {
    this.mesh = mesh;
  }

  async tell(...args: readonly string[]): Promise<ReleaseStatus> {
    const { stdout, stderr } = await this.mesh.sandbox.cli([...args, "--json"]);
    const answer = JSON.parse(stdout || "{}");
    if (!("phase" in answer)) throw new Error(`${args.join(" ")}: ${stdout}${stderr}`);
    return answer;
  }

  async start(strategy: string): Promise<void> {
    const file = join(this.mesh.sandbox.root, "release.yaml");
    writeFileSync(file, release(strategy));
    await this.tell("start", file);
  }

  /** Waits for an end; asking again and again would cost more than the release does. */
  async end(phase: ReleaseStatus["phase"]): Promise<void> {
    const status = await this.tell("wait", "to-green", "--for", "done", "--timeout", "45s");
    if (status.phase !== phase) throw new Error(`it is ${status.phase}: ${status.message}`);
  }

  async until(phase: ReleaseStatus["phase"], message = ""): Promise<void> {
    let last = "";
    await eventually(`${phase} ${message}`, async () => {
      const status = await (await this.mesh.sandbox.api()).release("to-green", { live: false });
      last = `${status.phase}: ${status.message}`;
      return status.phase === phase && status.message.includes(message) ? true : undefined;
    }).catch((error: unknown) => {
      throw new Error(`it is ${last}`, { cause: error });
    });
  }

  /** Percent of the public rule. */
  async green(): Promise<number | undefined> {
    const [service] = (await this.mesh.status()).services;
    return service?.rules.find(({ role }) => role === "public")?.weights["green"];
  }

  async readyBlue(count: number): Promise<void> {
    await eventually(`${count} ready replicas of blue`, async () => {
      const [service] = (await this.mesh.status()).services;
      const blue = service?.versions.find(({ name }) => name === "blue");
      return blue?.readyEndpoints === count ? true : undefined;
    });
  }

  /** Kills one replica of blue, and keeps it from starting again. */
  async holdOneDown(): Promise<void> {
    this.mesh.sandbox.write("hold-blue", "");
    const [pid] = await this.mesh.replicaPids("nginx-blue");
    if (pid === undefined) throw new Error("No replica of blue runs.");
    process.kill(pid, "SIGKILL");
    await this.readyBlue(2);
    // The proxy hears of it a moment later.
    await eventually("answers of the replicas that are left", async () => {
      const seen = await this.mesh.seen({ "x-version": "green" });
      return seen.size === 1 && seen.has("blue") ? true : undefined;
    });
  }

  letStart(): void {
    rmSync(join(this.mesh.sandbox.manifests, "hold-blue"));
  }
}

async function threeBlue(): Promise<SampleMesh> {
  const mesh = await SampleMesh.create();
  mesh.sandbox.write("server.js", heldApp);
  const manifests = readFileSync(join(mesh.sandbox.manifests, "local.yaml"), "utf8");
  mesh.sandbox.write("local.yaml", manifests.replace("replicas: 2", "replicas: 3"));
  await mesh.sandbox.up({ args: mesh.args });
  return mesh;
}

test("a version that lost a replica gets back what the others can take, then the rest, and nothing fails", async () => {
  await using mesh = await threeBlue();
  const way = new WayBackMesh(mesh);
  await way.start("{blueGreen: {}}");
  await way.end("done");
  await way.holdOneDown();
  await using load = await mesh.load(150);
  await way.tell("rollback", "to-green", "--release");
  await way.until("rollingBack", "2 of 3 endpoints of blue are ready, so 66 % is back; the rest STAYS on green");
  expect(Math.floor((await way.green()) ?? 0)).toBe(33);
  way.letStart();
  await way.end("rolledBack");
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  await expectNothingLost(load);
});

test("a way back is undone, and undone again, under load", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const way = new WayBackMesh(mesh);
  await way.start("{blueGreen: {}}");
  await way.end("done");
  await using load = await mesh.load(150);
  await way.tell("rollback", "to-green", "--release");
  await way.end("rolledBack");
  await way.tell("rollback", "to-green", "--release");
  await way.end("done");
  expect(await mesh.expectWorldToEqualJournal()).toBe("green");
  await way.tell("rollback", "to-green", "--release");
  await way.end("rolledBack");
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  await expectNothingLost(load);
});

test("--now passes the limit, also while a slow way back is under way", async () => {
  await using mesh = await threeBlue();
  const way = new WayBackMesh(mesh);
  await way.start("{blueGreen: {}}");
  await way.end("done");
  await way.holdOneDown();
  await using load = await mesh.load(150);
  await way.tell("rollback", "to-green", "--release");
  await way.until("rollingBack", "66 % is back");
  await way.tell("rollback", "to-green", "--release", "--now");
  await way.end("rolledBack");
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  await expectNothingLost(load);
});

test("weights are set by hand up and down, and the release goes on from them", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const way = new WayBackMesh(mesh);
  await using load = await mesh.load(150);
  await way.start("{steps: [{weight: 10}, {hold: 1h}, {switch: {}}]}");
  await way.until("holding");
  await way.tell("set", "to-green", "--weight", "40");
  await way.until("paused", "40 % set by");
  expect(await way.green()).toBe(40);
  await way.tell("set", "to-green", "--weight", "green=5,blue=95");
  await way.until("paused", "green 5 %, blue 95 % set by");
  expect(await way.green()).toBe(5);
  await way.tell("resume", "to-green");
  await way.until("holding");
  await way.tell("rollback", "to-green", "--release");
  await way.end("rolledBack");
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  await way.tell("rollback", "to-green", "--release");
  await way.until("paused", "brought back by");
  expect(await way.green()).toBe(5);
  await way.tell("promote", "to-green");
  await way.end("done");
  expect(await mesh.expectWorldToEqualJournal()).toBe("green");
  await expectNothingLost(load);
});

test("a move by hand after a release is not overwritten, unless somebody says so", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const way = new WayBackMesh(mesh);
  await using load = await mesh.load(150);
  await way.start("{blueGreen: {}}");
  await way.end("done");
  await mesh.move("shift", "--to", "green=80");
  const refused = await mesh.sandbox.cli(["rollback", "to-green", "--release", "--json"]);
  expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("KIR2038") });
  expect(await way.green()).toBe(80);
  await way.tell("rollback", "to-green", "--release", "--despite-changes");
  await way.end("rolledBack");
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  await expectNothingLost(load);
});
