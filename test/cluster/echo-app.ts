import { createServer } from "node:http";
import { isMainThread } from "node:worker_threads";

/** One version, as the echo process is told it. */
export interface EchoVersion {
  readonly version: string;
  readonly address: string;
  readonly port: number;
}

/**
 * The released app: a process that listens for each version and answers with its name in `x-color`. It ends when its
 * stdin does, so that it outlives no test.
 */
function serve(versions: readonly EchoVersion[]): void {
  let waiting = versions.length;
  for (const { version, address, port } of versions) {
    const server = createServer((request, response) => {
      request.resume();
      const head = { "x-color": version, "content-type": "text/plain", "content-length": version.length + 1 };
      // Copies are seen by nobody else: the app says how many it had.
      if (request.headers.host?.includes("-shadow") === true) copies.set(version, (copies.get(version) ?? 0) + 1);
      if (request.url === "/copies") {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(Object.fromEntries(copies)));
        return;
      }
      response.writeHead(200, head);
      response.end(`${version}\n`);
    });
    // A proxy's idle connections are the proxy's to close: one that is closed under a request is a lost request.
    server.keepAliveTimeout = 600_000;
    server.listen(port, address, () => {
      waiting -= 1;
      if (waiting === 0) process.stdout.write("ready\n");
    });
  }
  process.stdin.on("close", () => process.exit());
  process.stdin.resume();
}

const copies = new Map<string, number>();

const [, file, given] = process.argv;
if (isMainThread && file === import.meta.filename && given !== undefined) {
  serve(JSON.parse(given) as readonly EchoVersion[]);
}
