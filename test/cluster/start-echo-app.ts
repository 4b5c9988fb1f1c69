import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { EchoVersion } from "./echo-app.ts";
import type { NetworkPlace } from "./network-place.ts";

const file = fileURLToPath(new URL("echo-app.ts", import.meta.url));

/** Starts the released app with these versions; it listens when this returns. */
export async function startEchoApp(versions: readonly EchoVersion[], place: NetworkPlace): Promise<AsyncDisposable> {
  const [path, ...args] = [...place.enter, process.execPath, file, JSON.stringify(versions)];
  const child = spawn(path ?? process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) throw new Error("the echo app has ended");
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
