// The released app of the examples: it answers its colour, and little else. Plain JavaScript without dependencies, so
// that any Node runs it. $PORT says where to listen, on loopback only; $COLOR says which version this is.
//
//   GET /                 200 "blue\n", with the header `x-color: blue`
//   GET /events           200 text/event-stream: one event at once, then one every 200 ms, until the client goes
//   GET /slow?ms=2000     200 after that many milliseconds (at most a minute)
//   GET /status?code=503  that status (200 to 599)
//   GET /ready            200 while it takes requests, 503 once it drains
import { createServer } from "node:http";

const color = process.env.COLOR ?? "blue";
const port = Number(process.env.PORT);
const drainMs = Number(process.env.DRAIN_MS ?? 5_000);
const maximumSlowMs = 60_000;
const eventIntervalMs = 200;

let isDraining = false;
const streams = new Set();

const server = createServer((request, response) => {
  // A body that nobody reads would keep the connection from being used again.
  request.resume();
  response.setHeader("x-color", color);
  // A connection that has become idle while draining will get no other request.
  response.once("finish", () => isDraining && setImmediate(() => server.closeIdleConnections()));
  const url = new URL(request.url ?? "/", "http://localhost");
  switch (url.pathname) {
    case "/ready":
      return answer(response, isDraining ? 503 : 200, isDraining ? "draining" : "ready");
    case "/events":
      return streamEvents(response);
    case "/slow":
      return answerLater(response, boundedNumber(url.searchParams.get("ms"), 0, maximumSlowMs, 1_000));
    case "/status":
      return answer(response, boundedNumber(url.searchParams.get("code"), 200, 599, 200), color);
    default:
      return answer(response, 200, color);
  }
});

// Longer than a proxy keeps its idle connections, so that it is never the server that closes one under a request.
server.keepAliveTimeout = 0;
server.headersTimeout = 60_000;
server.requestTimeout = 0;

server.on("error", (error) => {
  process.stderr.write(`${color}: ${error.message}\n`);
  process.exitCode = 1;
});
server.listen(port, "127.0.0.1", () => {
  process.stdout.write(`${color} listens on 127.0.0.1:${server.address().port}\n`);
});

process.once("SIGTERM", drain);
process.once("SIGINT", drain);

function answer(response, status, text) {
  if (isDraining) response.setHeader("connection", "close");
  const hasBody = status !== 204 && status !== 304;
  const body = hasBody ? `${text}\n` : "";
  const headers = hasBody ? { "content-type": "text/plain", "content-length": Buffer.byteLength(body) } : {};
  response.writeHead(status, headers);
  response.end(body);
}

function answerLater(response, delayMs) {
  const timer = setTimeout(() => answer(response, 200, color), delayMs);
  response.once("close", () => clearTimeout(timer));
}

function streamEvents(response) {
  let count = 0;
  const send = () => response.write(`id: ${count}\ndata: {"color":"${color}","count":${count++}}\n\n`);
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  send();
  const timer = setInterval(send, eventIntervalMs);
  streams.add(response);
  response.once("close", () => {
    clearInterval(timer);
    streams.delete(response);
  });
}

function boundedNumber(text, lowest, highest, fallback) {
  const value = Number(text ?? fallback);
  return Number.isInteger(value) ? Math.min(highest, Math.max(lowest, value)) : fallback;
}

/** Takes no new connections, finishes the requests it has, ends streams, and leaves when the last one is done. */
function drain() {
  if (isDraining) return;
  isDraining = true;
  server.close();
  server.closeIdleConnections();
  for (const stream of streams) stream.end();
  // Nothing waits for ever: what is still open after the drain time is cut.
  setTimeout(() => server.closeAllConnections(), drainMs).unref();
}
