import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { epochNowMs } from "../../test/load/load-clock.ts";
import { threads, type Front } from "../front.ts";
import { findProgram, freePorts, runProgram, startProcess, waitForPort } from "../started-process.ts";

/** The runtime API: one map entry says which backend is live, and is changed in memory through a Unix socket. */
export const haproxyRuntime: Front = {
  name: "HAProxy runtime API",
  async missing() {
    return (await findProgram("haproxy")) === undefined ? "haproxy" : undefined;
  },
  async start(backends, folder) {
    const haproxy = (await findProgram("haproxy")) ?? "haproxy";
    const [port = 0] = await freePorts(1);
    const socket = join(folder, "api");
    const map = join(folder, "live.map");
    await writeFile(map, "live blue\n");
    const config = `global
  nbthread ${threads}
  maxconn 4096
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout connect 5s
  timeout client 3600s
  timeout server 3600s
  timeout http-keep-alive 3600s
frontend in
  bind 127.0.0.1:${port}
  use_backend %[str(live),map_str(${map},blue)]
backend blue
  server blue 127.0.0.1:${backends.port.blue}
backend green
  server green 127.0.0.1:${backends.port.green}
`;
    await writeFile(join(folder, "haproxy.cfg"), config);
    const started = startProcess([haproxy, "-db", "-f", join(folder, "haproxy.cfg")]);
    await waitForPort(port, started);
    const version = /version (\S+?)-/.exec(await runProgram([haproxy, "-v"]))?.[1] ?? "unknown";
    return {
      version,
      address: `127.0.0.1:${port}`,
      async switchTo(color) {
        const answer = await ask(socket, `set map ${map} live ${color}`);
        return { doneMs: epochNowMs(), ok: answer.trim() === "", settled: Promise.resolve() };
      },
      [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
    };
  },
};

async function ask(socket: string, command: string): Promise<string> {
  const connection = connect(socket);
  connection.write(`${command}\n`);
  return text(connection);
}
