import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { epochNowMs } from "../../test/load/load-clock.ts";
import type { Front } from "../front.ts";
import { findProgram, freePorts, runProgram, startProcess, waitForPort } from "../started-process.ts";
import { replaceFile } from "./nginx.ts";

const modules = ["mpm_event", "authz_core", "proxy", "proxy_http"];
const moduleFolder = "/usr/lib/apache2/modules";

function member(port: number): string {
  return `ProxyPass / http://127.0.0.1:${port}/ keepalive=On\n`;
}

/** The usual way: the balancer member is written into an included file, then the children are replaced. */
export const apacheGraceful: Front = {
  name: "Apache `-k graceful`",
  async missing() {
    return (await findProgram("apache2")) === undefined ? "apache2" : undefined;
  },
  async start(backends, folder) {
    const apache = (await findProgram("apache2")) ?? "apache2";
    const [port = 0] = await freePorts(1);
    const live = join(folder, "live.conf");
    const configFile = join(folder, "apache.conf");
    const asUser = process.getuid?.() === 0 ? "User www-data\nGroup www-data\n" : "";
    const loads = modules.map((name) => `LoadModule ${name}_module ${moduleFolder}/mod_${name}.so`);
    const config = `ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
Listen 127.0.0.1:${port}
${asUser}${loads.join("\n")}
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 3600
StartServers 2
ServerLimit 8
ThreadsPerChild 64
MaxRequestWorkers 512
Include ${live}
`;
    await writeFile(configFile, config);
    await writeFile(live, member(backends.port.blue));
    const started = startProcess([apache, "-D", "FOREGROUND", "-f", configFile]);
    await waitForPort(port, started);
    const version = /Apache\/(\S+)/.exec(await runProgram([apache, "-v"]))?.[1] ?? "unknown";
    return {
      version,
      address: `127.0.0.1:${port}`,
      async switchTo(color) {
        await replaceFile(live, member(backends.port[color]));
        await runProgram([apache, "-f", configFile, "-k", "graceful"]);
        return { doneMs: epochNowMs(), ok: true, settled: Promise.resolve() };
      },
      [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
    };
  },
};
