import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "./api-error.ts";
import type { EventStreams } from "./event-streams.ts";
import { streamMove } from "./move-stream.ts";
import type { RecentMoves } from "./recent-moves.ts";
import { name } from "./schema-parts.ts";
import { addReleaseRoutes } from "./release-routes.ts";
import {
  callerSchema,
  errorSchema,
  historySchema,
  moveRequestSchema,
  moveResultSchema,
  pageLinkSchema,
  planSchema,
  samplesSchema,
  sessionSchema,
  serviceSchema,
  statusSchema,
} from "./schemas.ts";
import type { ApiBackend, SamplesAnswer, ServiceStatus } from "./types.ts";
import type { MoveRequest } from "../core/release/move/move.ts";

export interface ApiParts {
  readonly backend: ApiBackend;
  readonly streams: EventStreams;
  readonly moves: RecentMoves;
  readonly createPageUrl: (actor: string) => string;
}

const read = { config: { access: "read" } } as const;
const write = { config: { access: "token" } } as const;
const answers = (schema: object) => ({ 200: schema, default: { description: "Refused.", ...errorSchema } });

/** The JSON routes under /v1; docs/api.md is generated from what is said here. */
export function addRoutes(app: FastifyInstance, parts: ApiParts): void {
  addReadRoutes(app, parts);
  addMoveRoutes(app, parts);
  addReleaseRoutes(app, parts.backend.releases);
  addLiveRoutes(app, parts);
}

function addReadRoutes(app: FastifyInstance, { backend }: ApiParts): void {
  app.get(
    "/v1/status",
    { ...read, schema: { summary: "Gateways, services, proxies and workloads.", response: answers(statusSchema) } },
    () => backend.status(),
  );
  app.get<{ Params: { namespace: string; name: string } }>(
    "/v1/services/:namespace/:name",
    {
      ...read,
      schema: {
        summary: "One VirtualService.",
        params: { type: "object", properties: { namespace: { type: "string" }, name: { type: "string" } } },
        response: answers(serviceSchema),
      },
    },
    (request) => findService(backend, `${request.params.namespace}/${request.params.name}`),
  );
  app.get<{ Params: { namespace: string; name: string }; Querystring: { host?: string; port?: string } }>(
    "/v1/callers/:namespace/:name",
    {
      ...read,
      schema: {
        summary: "A workload as a sender of requests.",
        params: { type: "object", properties: { namespace: { type: "string" }, name: { type: "string" } } },
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            host: { type: "string", maxLength: 253, description: "What it asks for, as it writes it." },
            port: { type: "string", pattern: "^[0-9]{1,5}$", description: "80 where it is not given." },
          },
        },
        response: answers(callerSchema),
      },
    },
    ({ params, query: { host, port } }) =>
      backend.caller(
        `${params.namespace}/${params.name}`,
        host === undefined ? undefined : { host, port: Number(port ?? 80) },
      ),
  );
  addHistoryRoute(app, backend);
}

function addHistoryRoute(app: FastifyInstance, backend: ApiParts["backend"]): void {
  app.get<{ Querystring: { name?: string; releases?: string } }>(
    "/v1/history",
    {
      ...read,
      schema: {
        summary: "Moves, oldest first.",
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            name: { type: "string", description: "`name` or `namespace/name` of a VirtualService." },
            releases: {
              type: "string",
              enum: ["true", "false"],
              description:
                "`true` adds what happened to releases, each with `release`, `event`, `at`, `actor`, `reason` and " +
                "`what`; `name` may then be a release's.",
            },
          },
        },
        response: answers(historySchema),
      },
    },
    ({ query: { name, releases } }) => (releases === "true" ? backend.timeline(name) : backend.history(name)),
  );
}

function addMoveRoutes(app: FastifyInstance, { backend, createPageUrl }: ApiParts): void {
  app.post<{ Body: MoveRequest }>(
    "/v1/plan",
    {
      ...write,
      schema: {
        summary: "What a move would do. Changes nothing.",
        body: moveRequestSchema,
        response: answers(planSchema),
      },
    },
    (request) => backend.plan(toMoveRequest(request.body)),
  );
  app.post<{ Body: MoveRequest }>(
    "/v1/moves",
    {
      ...write,
      schema: {
        summary: "Moves traffic.",
        description:
          "Answers a line of JSON for each step while it happens: `planned`, `preflight`, `applying`, `proved`, " +
          "`counting`, and last `finished` with the result or `error` with the error. A request that is refused before " +
          "its first step is answered as an error. The move runs on when the reader goes away. The fields below are those " +
          "of the result.",
        body: moveRequestSchema,
        produces: ["application/x-ndjson"],
        response: answers(moveResultSchema),
      },
    },
    (request, reply) => streamMove(backend, toMoveRequest(request.body), reply),
  );
  app.post<{ Body: { readonly actor?: string } | null }>(
    "/v1/page-link",
    {
      ...write,
      schema: {
        summary: "A new link to the status page.",
        body: {
          type: "object",
          additionalProperties: false,
          properties: { actor: name("Whom it signs in, for the history of what the page orders.") },
        },
        response: answers(pageLinkSchema),
      },
    },
    ({ body }) => ({ url: createPageUrl(body?.actor ?? "status page") }),
  );
  app.get(
    "/v1/session",
    { ...read, schema: { summary: "Who is signed in.", response: answers(sessionSchema) } },
    ({ caller }) => ({ actor: caller.kind === "page" ? caller.actor : null }),
  );
}

function addLiveRoutes(app: FastifyInstance, { backend, streams, moves }: ApiParts): void {
  app.get(
    "/v1/samples",
    { ...read, schema: { summary: "The last minutes of traffic.", response: answers(samplesSchema) } },
    (): SamplesAnswer => ({ samples: backend.recentSamples(), moves: moves.list() }),
  );
  app.get(
    "/v1/events",
    {
      ...read,
      schema: {
        summary: "What happens, as server-sent events.",
        description:
          "`status` first and whenever it changes, `sample` each second, `move` for each step of a move, `release` whenever one changes. A comment " +
          "keeps the line alive. A reader that does not keep up is cut off; it may connect again and read /v1/samples.",
        produces: ["text/event-stream"],
      },
    },
    (_request: FastifyRequest, reply: FastifyReply) => {
      streams.open(reply, [{ event: "status", status: backend.status() }]);
    },
  );
}

/** JSON leaves out what the engine's type has as undefined. */
function toMoveRequest(body: Partial<MoveRequest> & Pick<MoveRequest, "verb" | "name" | "to" | "actor">): MoveRequest {
  const { verb, name, namespace, route, to, actor, reason } = body;
  return { verb, name, namespace, route, to, actor, reason };
}

function findService(backend: ApiBackend, virtualService: string): ServiceStatus {
  const { services } = backend.status();
  const found = services.find((service) => service.virtualService === virtualService);
  if (found !== undefined) return found;
  throw new ApiError("KIR5060", `There is no VirtualService ${virtualService} whose traffic can be moved.`, {
    status: 404,
    exitStatus: 2,
    details: { known: services.map((service) => service.virtualService) },
  });
}
