import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Color } from "./front.ts";
import {
  findProgram,
  freePorts,
  runProgram,
  startProcess,
  waitForPort,
  type StartedProcess,
} from "./started-process.ts";

/** Both versions of the app, each on a port of its own, answering their colour in `x-color`. */
export interface Backends extends AsyncDisposable {
  readonly program: string;
  readonly port: Readonly<Record<Color, number>>;
}

const colors: readonly Color[] = ["blue", "green"];

/** nginx where it is installed, because it costs the least beside what is measured; else the examples' Node server. */
export async function startBackends(folder: string): Promise<Backends> {
  const [blue = 0, green = 0] = await freePorts(2);
  const port = { blue, green };
  const nginx = await findProgram("nginx");
  const program = nginx === undefined ? "node" : `nginx ${await nginxVersion(nginx)}`;
  const processes = nginx === undefined ? startNode(port) : [await startNginx(nginx, folder, port)];
  for (const color of colors) await waitForPort(port[color], processes[0] ?? processAbsent());
  return {
    program,
    port,
    async [Symbol.asyncDispose]() {
      for (const started of processes) await started[Symbol.asyncDispose]();
    },
  };
}

export async function nginxVersion(nginx: string): Promise<string> {
  return (await runProgram([nginx, "-v"])).trim().replace(/^.*nginx\//, "");
}

/** What every nginx here needs to run in a folder of its own, in the foreground. */
export function nginxHead(folder: string): string {
  return `daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log;
worker_processes 2;
events { worker_connections 4096; }`;
}

export function nginxPaths(folder: string): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`);
  return `${paths.join("\n")}
access_log off;
keepalive_timeout 3600s;
keepalive_requests 1000000000;`;
}

async function startNginx(nginx: string, folder: string, port: Record<Color, number>): Promise<StartedProcess> {
  const own = join(folder, "backends");
  await mkdir(own, { recursive: true });
  const servers = colors.map(
    (color) => `server {
  listen 127.0.0.1:${port[color]};
  add_header x-color ${color};
  location / { return 200 "${color}\\n"; }
}`,
  );
  const config = `${nginxHead(own)}\nhttp {\n${nginxPaths(own)}\n${servers.join("\n")}\n}\n`;
  await writeFile(join(own, "nginx.conf"), config);
  return startProcess([nginx, "-p", own, "-c", join(own, "nginx.conf")]);
}

function startNode(port: Record<Color, number>): readonly StartedProcess[] {
  const server = fileURLToPath(new URL("../examples/blue-green/server.js", import.meta.url));
  return colors.map((color) =>
    startProcess([process.execPath, server], { env: { ...process.env, COLOR: color, PORT: String(port[color]) } }),
  );
}

function processAbsent(): never {
  throw new Error("No backend was started.");
}
