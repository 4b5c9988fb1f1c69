import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { promisify } from "node:util";
import type { NetworkPlace } from "./network-place.ts";
import { startProgram } from "./child-program.ts";

const run = promisify(execFile);

/** A network namespace, which ends with everything in it and leaves nothing on this machine. */
export interface OwnNetwork extends NetworkPlace, AsyncDisposable {}

/**
 * Addresses of their own, which the API server takes for endpoints where it refuses loopback: a network namespace, and a
 * pair of interfaces that leads into it. Undefined, with the reason on stderr, where this user cannot make one.
 */
export async function startOwnNetwork(log: string): Promise<OwnNetwork | undefined> {
  await using stack = new AsyncDisposableStack();
  const holder = stack.use(startProgram({ path: "unshare", args: ["--net", "sleep", "3600"], log }));
  const enter = ["nsenter", `--target=${holder.pid}`, "--net", "--"];
  const subnet = `10.77.${randomInt(1, 255)}`;
  try {
    await holder.whenReady(async () => (await readNamespace(holder.pid)) !== (await readNamespace("self")), 5_000);
    await connectNamespace({ pid: holder.pid, enter, subnet });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`\nSKIPPED: no network namespace here, which takes root: ${error.message}\n`);
    return undefined;
  }
  let last = 2;
  const running = stack.move();
  return {
    host: `${subnet}.2`,
    enter,
    takeAddress() {
      last += 1;
      if (last > 254) throw new Error(`${subnet}.0/24 has no addresses left`);
      return `${subnet}.${last}`;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function readNamespace(pid: number | "self"): Promise<string> {
  return (await run("readlink", [`/proc/${pid}/ns/net`])).stdout;
}

interface NamespaceParts {
  readonly pid: number;
  readonly enter: readonly string[];
  readonly subnet: string;
}

/** The namespace has every address of the subnet, so that pods need no setup; this end is `.1`. */
async function connectNamespace({ pid, enter, subnet }: NamespaceParts): Promise<void> {
  const outside = `kirikae${pid}`;
  await run("ip", ["link", "add", outside, "type", "veth", "peer", "name", "pods", "netns", String(pid)]);
  await run("ip", ["address", "add", `${subnet}.1/24`, "dev", outside]);
  await run("ip", ["link", "set", outside, "up"]);
  const [path = "", ...args] = enter;
  const inside = (...rest: readonly string[]) => run(path, [...args, "ip", ...rest]);
  await inside("link", "set", "lo", "up");
  await inside("link", "set", "pods", "up");
  for (let last = 2; last < 255; last += 1) await inside("address", "add", `${subnet}.${last}/24`, "dev", "pods");
}
