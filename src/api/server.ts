import Fastify, { type FastifyInstance } from "fastify";
import { removeAddressFiles, writeAddressFiles, type ApiAddressFiles } from "./address-files.ts";
import { ApiError, toErrorBody } from "./api-error.ts";
import { answerBrokenRequest } from "./broken-request.ts";
import { EventStreams, type StreamLimits } from "./event-streams.ts";
import { checkRequest, type Access, type Caller, type GuardedApi } from "./guard.ts";
import { addPageRoutes } from "./page-routes.ts";
import { PageSessions } from "./page-sessions.ts";
import { RecentMoves } from "./recent-moves.ts";
import { addRoutes, type ApiParts } from "./routes.ts";
import { createSecret } from "./secrets.ts";
import { securityHeaders } from "./security-headers.ts";
import type { ApiBackend } from "./types.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    caller: Caller;
  }
}

/** The files are written when the API listens and removed when it stops. */
export interface ApiOptions extends ApiAddressFiles {
  /** 0, the default, takes a free port. */
  readonly port?: number | undefined;
  readonly limits?: Partial<ApiLimits> | undefined;
  /** Whom the links of `pageUrl` sign in, for the history of what the page orders. */
  readonly actor?: string | undefined;
  /** Hears of defects: what a client is not told. */
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

export interface ApiLimits extends StreamLimits {
  /** A request has to arrive whole within this time, its head within half of it. */
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
}

export interface RunningApi extends AsyncDisposable {
  /** `http://127.0.0.1:N`. */
  readonly url: string;
  /** A link to the status page that signs one browser in, once. */
  pageUrl(): string;
}

const unnamed = "status page";

export const defaultLimits: ApiLimits = {
  requestTimeoutMs: 10_000,
  maxConnections: 256,
  maxStreams: 64,
  maxBufferedBytes: 1024 * 1024,
  heartbeatMs: 10_000,
};

/** The longest that stopping waits for answers under way before it cuts them off. */
const closeGraceMs = 1_000;

/**
 * Tries whether the API's port can be taken, before anything is started that a failure would have to undo.
 * @throws KIR5056
 */
export async function checkApiPort(port: number | undefined): Promise<void> {
  if (port === undefined || port === 0) return;
  const app = Fastify();
  await listen(app, port);
  await app.close();
}

/** Serves the API and the status page of one mesh on loopback. Throws KIR5056 when the port cannot be taken. */
export async function startApi(backend: ApiBackend, options: ApiOptions): Promise<RunningApi> {
  const limits = { ...defaultLimits, ...options.limits };
  const streams = new EventStreams(limits);
  const moves = new RecentMoves();
  const { app, api } = buildApp({ backend, streams, moves, limits, onDefect: options.onDefect });
  await listen(app, options.port ?? 0);
  const url = ownUrl(api);
  await writeAddressFiles(options, api.token, { url, pid: process.pid });
  const subscription = backend.subscribe((event) => {
    moves.add(event);
    streams.publish(event);
  });
  return {
    url,
    pageUrl: () => createPageUrl(api, options.actor ?? unnamed),
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      streams[Symbol.dispose]();
      await removeAddressFiles(options, api.token);
      await close(app);
    },
  };
}

interface AppParts extends Omit<ApiParts, "createPageUrl"> {
  readonly limits: ApiLimits;
  readonly onDefect: ((error: unknown) => void) | undefined;
}

/** The server with all its routes, not yet listening. The docs generator reads the routes from it. */
export function buildApp(
  { limits, onDefect, ...parts }: AppParts,
  prepare: (app: FastifyInstance) => unknown = () => {},
): { app: FastifyInstance; api: GuardedApi } {
  const app = createServer(limits);
  // A plugin sees only the routes that come after it.
  prepare(app);
  const api: GuardedApi = {
    token: createSecret(),
    sessions: new PageSessions(),
    port: () => listeningPort(app),
  };
  app.removeContentTypeParser("text/plain");
  // Schemas document the answers; they do not filter them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest("caller");
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(securityHeaders);
    request.caller = checkRequest(api, request.headers, request.routeOptions.config.access ?? "public");
  });
  app.setNotFoundHandler((request) => {
    throw new ApiError("KIR5053", `The API has no ${request.method} ${request.url.split("?")[0]}.`, {
      status: 404,
      exitStatus: 2,
      hint: "docs/api.md lists what it has.",
    });
  });
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = toErrorBody(error);
    if (status === 500) onDefect?.(error);
    return reply.code(status).type("application/json; charset=utf-8").send(body);
  });
  app.register(async (scope) => {
    addRoutes(scope, { ...parts, createPageUrl: (actor) => createPageUrl(api, actor) });
    addPageRoutes(scope, api);
  });
  return { app, api };
}

function createServer(limits: ApiLimits): FastifyInstance {
  const app = Fastify({
    bodyLimit: 64 * 1024,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: 5_000,
    http: {
      headersTimeout: limits.requestTimeoutMs / 2,
      connectionsCheckingInterval: Math.min(1_000, limits.requestTimeoutMs / 4),
      maxHeaderSize: 16 * 1024,
    },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } },
    routerOptions: { maxParamLength: 253 },
    exposeHeadRoutes: false,
    clientErrorHandler: answerBrokenRequest,
    forceCloseConnections: "idle",
  });
  app.server.maxConnections = limits.maxConnections;
  return app;
}

function listeningPort(app: FastifyInstance): number {
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("the API does not listen on a port");
  return address.port;
}

function ownUrl(api: GuardedApi): string {
  return `http://127.0.0.1:${api.port()}`;
}

function createPageUrl(api: GuardedApi, actor: string): string {
  return `${ownUrl(api)}/?key=${api.sessions.createKey(actor)}`;
}

async function listen(app: FastifyInstance, port: number): Promise<void> {
  try {
    await app.listen({ host: "127.0.0.1", port });
  } catch (error) {
    await app.close();
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const why = code === "EADDRINUSE" ? "is taken by another process" : "needs rights that this process lacks";
    throw new ApiError("KIR5056", `Port ${port} of the API ${why}.`, {
      status: 503,
      exitStatus: 3,
      hint: "Choose another with --port, or leave it out for a free one.",
      cause: error,
    });
  }
}

async function close(app: FastifyInstance): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), closeGraceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cutOff);
  }
}
