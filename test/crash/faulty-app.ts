/**
 * An app like that of the example, whose faults a file beside it decides, `fault-blue` or `fault-green`: `exit` ends it
 * as it starts, `error` answers 500 to all but its readiness, `all-errors` to everything, and `silent` accepts requests
 * and never answers.
 */
export const faultyApp = `
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const color = process.env.COLOR;
const file = "fault-" + color;
const fault = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
if (fault() === "exit") process.exit(1);
process.once("SIGTERM", () => process.exit(0));

const server = createServer((request, response) => {
  request.resume();
  const now = fault();
  if (now === "silent") return;
  const isError = now === "all-errors" || (now === "error" && request.url !== "/ready");
  response.writeHead(isError ? 500 : 200, { "x-color": color });
  response.end();
});
// Never closed while idle, because a proxy may be sending the next request just then; node does it after six seconds.
server.keepAliveTimeout = 0;
server.listen(Number(process.env.PORT), "127.0.0.1");
`;
