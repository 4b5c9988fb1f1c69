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
    let count = 0;
    const server = createServer((request, response) => {
      request.resume();
      // Nobody sees what copies are answered: the app says how many requests it had.
      if (request.url === "/count") {
        response.end(String(count));
        return;
      }
      count += 1;
      const head = { "x-color": version, "content-type": "text/plain", "content-length": version.length + 1 };
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

const [, file, given] = process.argv;
if (isMainThread && file === import.meta.filename && given !== undefined) {
  serve(JSON.parse(given) as readonly EchoVersion[]);
}
