import type { FastifyInstance } from "fastify";
import {
  releaseListSchema,
  releaseOrderSchema,
  releasePlanSchema,
  releaseSchema,
  releaseSourceSchema,
} from "./release-schemas.ts";
import { errorSchema } from "./schemas.ts";
import type { ReleaseCommand } from "../core/release/release-state.ts";
import type { ReleaseBackend, ReleaseOrder, ReleaseSource } from "./types.ts";

const read = { config: { access: "read" } } as const;
const write = { config: { access: "token" } } as const;
const answers = (schema: object) => ({ 200: schema, default: { description: "Refused.", ...errorSchema } });

interface ReleaseName {
  Params: { namespace: string; name: string };
}

const nameParams = { type: "object", properties: { namespace: { type: "string" }, name: { type: "string" } } } as const;

/** JSON may leave `full` out. */
function complete({
  kind,
  full = false,
}: {
  readonly kind: ReleaseCommand["kind"];
  readonly full?: boolean;
}): ReleaseCommand {
  return kind === "promote" ? { kind, full } : { kind };
}

/** The routes of releases under /v1/releases. */
export function addReleaseRoutes(app: FastifyInstance, releases: ReleaseBackend): void {
  app.get(
    "/v1/releases",
    { ...read, schema: { summary: "Releases that were started, oldest first.", response: answers(releaseListSchema) } },
    () => releases.list(),
  );
  app.get<ReleaseName>(
    "/v1/releases/:namespace/:name",
    {
      ...read,
      schema: { summary: "The newest release of this name.", params: nameParams, response: answers(releaseSchema) },
    },
    ({ params }) => releases.get(`${params.namespace}/${params.name}`),
  );
  app.post<{ Body: ReleaseSource }>(
    "/v1/releases/plan",
    {
      ...write,
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
      schema: {
        summary: "Starts a release.",
        description: "The answer comes when it is written down; the release then goes on by itself.",
        body: releaseSourceSchema,
        response: answers(releaseSchema),
      },
    },
    ({ body }) => releases.start(body),
  );
  app.post<ReleaseName & { Body: ReleaseOrder }>(
    "/v1/releases/:namespace/:name/orders",
    {
      ...write,
      schema: {
        summary: "Tells a release what to do.",
        params: nameParams,
        body: releaseOrderSchema,
        response: answers(releaseSchema),
      },
    },
    ({ params, body }) =>
      releases.order(`${params.namespace}/${params.name}`, { ...body, command: complete(body.command) }),
  );
}
