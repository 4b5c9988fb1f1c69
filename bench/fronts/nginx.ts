import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { epochNowMs } from "../../test/load/load-clock.ts";
import { nginxHead, nginxPaths, nginxVersion } from "../backends.ts";
import type { Color, Front, RunningFront } from "../front.ts";
import { findProgram, freePorts, runProgram, startProcess, waitForPort } from "../started-process.ts";

/** The usual way: the upstream is written into an included file, then the workers are replaced. */
export const nginxReload: Front = {
  name: "nginx `-s reload`",
  missing: missingNginx,
  start: (backends, folder) =>
    startNginx({
      folder,
      http: `include ${folder}/live.conf;`,
      server: "location / { proxy_pass http://live; }",
      async setColor(color, nginx) {
        await replaceFile(join(folder, "live.conf"), `${upstream("live", backends.port[color])}\n`);
        if (nginx !== undefined)
          await runProgram([nginx, "-p", folder, "-c", join(folder, "nginx.conf"), "-s", "reload"]);
      },
    }),
};

/** No reload: nginx looks for a flag file with every request. */
export const nginxFlagFile: Front = {
  name: "nginx, flag file",
  missing: missingNginx,
  start: (backends, folder) =>
    startNginx({
      folder,
      http: `${upstream("blue", backends.port.blue)}\n${upstream("green", backends.port.green)}`,
      server: `set $live blue;
    if (-f ${folder}/green.flag) { set $live green; }
    location / { proxy_pass http://$live; }`,
      async setColor(color) {
        const flag = join(folder, "green.flag");
        if (color === "green") await writeFile(flag, "");
        else await rm(flag, { force: true });
      },
    }),
};

interface NginxSetup {
  readonly folder: string;
  readonly http: string;
  readonly server: string;
  /** `nginx` is undefined before the first start, when there is nothing to tell yet. */
  setColor(color: Color, nginx: string | undefined): Promise<void>;
}

async function startNginx(setup: NginxSetup): Promise<RunningFront> {
  const nginx = (await findProgram("nginx")) ?? "nginx";
  const [port = 0] = await freePorts(1);
  const { folder } = setup;
  const config = `${nginxHead(folder)}
http {
${nginxPaths(folder)}
${setup.http}
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    ${setup.server}
  }
}
`;
  await writeFile(join(folder, "nginx.conf"), config);
  await setup.setColor("blue", undefined);
  const started = startProcess([nginx, "-p", folder, "-c", join(folder, "nginx.conf")], { signal: "SIGQUIT" });
  await waitForPort(port, started);
  return {
    version: await nginxVersion(nginx),
    address: `127.0.0.1:${port}`,
    async switchTo(color) {
      await setup.setColor(color, nginx);
      return { doneMs: epochNowMs(), ok: true, settled: Promise.resolve() };
    },
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

function upstream(name: string, port: number): string {
  return `upstream ${name} { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000000; }`;
}

async function missingNginx(): Promise<string | undefined> {
  return (await findProgram("nginx")) === undefined ? "nginx-light" : undefined;
}

/** Readers see the old file or the new one, never half of it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
