import type { FastifyInstance } from "fastify";
import {
  releaseChoicesSchema,
  releaseListSchema,
  releaseOrderSchema,
  releasePlanSchema,
  releaseSchema,
  releaseSourceSchema,
} from "./release-schemas.ts";
import { reportSchema } from "./report-schema.ts";
import { ApiError } from "./api-error.ts";
import type { Caller } from "./guard.ts";
import { listed, listReleases, maxListed } from "./list-releases.ts";
import { name } from "./schema-parts.ts";
import { errorSchema } from "./schemas.ts";
import type { ReleaseCommand, SetShares } from "../core/release/state/release-state.ts";
import type { ReleaseBackend, ReleaseOrder, ReleaseSource, ReleaseStatus } from "./types.ts";

const read = { config: { access: "read" } } as const;
const write = { config: { access: "token" } } as const;
const order = { config: { access: "order" } } as const;
const answers = (schema: object) => ({ 200: schema, default: { description: "Refused.", ...errorSchema } });

/** A file with many Releases, as JSON writes it. */
const maxSourceBytes = 2 * 1024 * 1024;

interface ReleaseListQuery {
  readonly limit?: string;
  readonly before?: string;
  readonly active?: string;
  readonly live?: string;
}

const flagQuery = (description: string) => ({ type: "string", enum: ["true", "false"], description }) as const;

function addListRoute(app: FastifyInstance, releases: ReleaseBackend): void {
  app.get<{ Querystring: ReleaseListQuery }>(
    "/v1/releases",
    {
      ...read,
      schema: {
        summary: "Releases that were started, newest first, without their plans.",
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            limit: {
              type: "string",
              pattern: "^[1-9][0-9]{0,2}$",
              description: `How many at most; ${listed} where it is not given, ${maxListed} at most.`,
            },
            before: { type: "string", maxLength: 253, description: "Only those started before the one of this id." },
            active: flagQuery("`true` leaves out those that are over."),
            live: flagQuery("`true` asks the proxies what they do for those that are under way."),
          },
        },
        response: answers(releaseListSchema),
      },
    },
    ({ query: { limit, before, active, live } }) =>
      listReleases(releases, {
        before,
        ...(limit !== undefined && { limit: Number(limit) }),
        ...(active === "true" && { active: true }),
        ...(live === "true" && { live: true }),
      }),
  );
}

function addFindRoutes(app: FastifyInstance, releases: ReleaseBackend): void {
  const withLive = async (found: ReleaseStatus, { live }: { readonly live?: string }): Promise<ReleaseStatus> => {
    if (live === "false") return found;
    const seen = await releases.look([found.id]);
    return { ...found, live: seen.get(found.id) ?? null };
  };
  const live = flagQuery("`false` does not ask the proxies what they do for it.");
  app.get<ReleaseName & { Querystring: { live?: string } }>(
    "/v1/releases/:namespace/:name",
    {
      ...read,
      schema: {
        summary: "The newest release of this name, with what the proxies do for it.",
        params: nameParams,
        querystring: { type: "object", additionalProperties: false, properties: { live } },
        response: answers(releaseSchema),
      },
    },
    async ({ params, query }) => withLive(releases.get(`${params.namespace}/${params.name}`), query),
  );
  app.get<ReleaseName>(
    "/v1/releases/:namespace/:name/report",
    {
      ...read,
      schema: {
        summary: "What a release did, step by step, and who met the new version.",
        description: "Of one that has not ended, as far as it has come. docs/guide/report.md explains it.",
        params: nameParams,
        response: answers(reportSchema),
      },
    },
    ({ params }) => releases.report(`${params.namespace}/${params.name}`),
  );
  app.get<{ Params: { name: string }; Querystring: { namespace?: string; live?: string } }>(
    "/v1/releases/:name",
    {
      ...read,
      schema: {
        summary: "The same by the name alone.",
        description: "Refused with KIR2036 where releases of several namespaces have that name and none was said.",
        params: { type: "object", properties: { name: { type: "string" } } },
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: { namespace: { type: "string", maxLength: 253, description: "Where it has to be." }, live },
        },
        response: answers(releaseSchema),
      },
    },
    async ({ params, query }) => withLive(releases.get(params.name, query.namespace), query),
  );
}

interface ReleaseName {
  Params: { namespace: string; name: string };
}

const nameParams = { type: "object", properties: { namespace: { type: "string" }, name: { type: "string" } } } as const;

/** What JSON may leave out, and nothing that does not belong to the command. */
function complete({ kind, ...body }: CommandBody): ReleaseCommand {
  switch (kind) {
    case "promote":
      return { kind, full: body.full ?? false, ...(body.despiteFreeze === true ? { despiteFreeze: true } : {}) };
    case "rollback":
      return {
        kind,
        ...(body.now === true ? { now: true } : {}),
        ...(body.despiteChanges === true ? { despiteChanges: true } : {}),
      };
    case "set":
      return { kind, shares: body.shares ?? {} };
    case "pause":
    case "resume":
    case "approve":
    case "reject":
    case "retry":
    case "abort":
      return { kind };
  }
}

interface CommandBody {
  readonly kind: ReleaseCommand["kind"];
  readonly full?: boolean;
  readonly despiteFreeze?: boolean;
  readonly now?: boolean;
  readonly despiteChanges?: boolean;
  readonly shares?: SetShares;
}

/** The routes of releases under /v1/releases. */
export function addReleaseRoutes(app: FastifyInstance, releases: ReleaseBackend): void {
  addListRoute(app, releases);
  addFindRoutes(app, releases);
  app.post<{ Body: ReleaseSource }>(
    "/v1/releases/plan",
    {
      ...write,
      bodyLimit: maxSourceBytes,
      schema: {
        summary: "What a Release would do from what is live. Changes nothing.",
        body: releaseSourceSchema,
        response: answers(releasePlanSchema),
      },
    },
    ({ body }) => releases.plan(body),
  );
  app.post<{ Body: ReleaseSource }>(
    "/v1/releases",
    {
      ...write,
      bodyLimit: maxSourceBytes,
      schema: {
        summary: "Starts a release.",
        description: "The answer comes when it is written down; the release then goes on by itself.",
        body: releaseSourceSchema,
        response: answers(releaseSchema),
      },
    },
    ({ body }) => releases.start(body),
  );
  addOrderRoutes(app, releases);
}

/** What the page may do as well, in the name of whom its link was made for. */
function addOrderRoutes(app: FastifyInstance, releases: ReleaseBackend): void {
  app.post<ReleaseName & { Body: Omit<ReleaseOrder, "actor"> & { readonly actor?: string } }>(
    "/v1/releases/:namespace/:name/orders",
    {
      ...order,
      schema: {
        summary: "Tells a release what to do.",
        params: nameParams,
        body: releaseOrderSchema,
        response: answers(releaseSchema),
      },
    },
    ({ params, body, caller }) => {
      const actor = actorOf(caller, body.actor);
      return releases.order(`${params.namespace}/${params.name}`, { ...body, actor, command: complete(body.command) });
    },
  );
  app.get<ReleaseName & { Querystring: { readonly actor?: string } }>(
    "/v1/releases/:namespace/:name/choices",
    {
      ...read,
      schema: {
        summary: "What a release can be told now, and what would follow.",
        params: nameParams,
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: { actor: name("Who would say it; whom the page's link was made for, where it is the page.") },
        },
        response: answers(releaseChoicesSchema),
      },
    },
    ({ params, query, caller }) => releases.choices(`${params.namespace}/${params.name}`, actorOf(caller, query.actor)),
  );
}

/** A page speaks for whom its link was made for, whatever it says; otherwise one person could be two. */
function actorOf(caller: Caller, given: string | undefined): string {
  if (caller.kind === "page") return caller.actor;
  if (given !== undefined) return given;
  throw new ApiError("KIR5054", "The request does not say who asks.", {
    status: 400,
    exitStatus: 2,
    hint: "Give `actor`, for the history.",
  });
}
