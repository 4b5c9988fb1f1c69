import swagger from "@fastify/swagger";
import { EventStreams } from "./event-streams.ts";
import { RecentMoves } from "./recent-moves.ts";
import { buildApp, defaultLimits } from "./server.ts";
import type { ApiBackend } from "./types.ts";

/** A JSON schema, as far as the API uses it. */
export interface ApiSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, ApiSchema>>;
  readonly required?: readonly string[];
  readonly items?: ApiSchema;
  readonly anyOf?: readonly ApiSchema[];
  readonly enum?: readonly unknown[];
}

/** One route of the API. */
export interface ApiOperation {
  readonly method: string;
  readonly path: string;
  readonly summary: string | undefined;
  readonly description: string | undefined;
  readonly parameters: readonly { readonly name: string; readonly description?: string }[];
  readonly body: ApiSchema | undefined;
  readonly answer: ApiSchema | undefined;
  readonly answerType: string;
}

interface RawOperation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: ApiOperation["parameters"];
  readonly requestBody?: RawContent;
  readonly responses?: Readonly<Record<string, RawContent>>;
}

interface RawContent {
  readonly content?: Readonly<Record<string, { readonly schema?: ApiSchema }>>;
}

/** The API's routes from its OpenAPI document, in path order. Nothing listens, and no backend is asked. */
export async function buildOpenApi(): Promise<readonly ApiOperation[]> {
  using streams = new EventStreams(defaultLimits);
  const parts = { backend: absentBackend, moves: new RecentMoves(), streams };
  const { app } = buildApp({ ...parts, limits: defaultLimits, onDefect: undefined }, (bare) =>
    bare.register(swagger, { openapi: { openapi: "3.1.0", info: { title: "kirikae", version: "1" } } }),
  );
  await app.ready();
  const document: { readonly paths?: Readonly<Record<string, Readonly<Record<string, RawOperation>>>> } = JSON.parse(
    JSON.stringify(app.swagger()),
  );
  await app.close();
  return Object.entries(document.paths ?? {})
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, raw]) => toOperation(method, path, raw)));
}

function toOperation(method: string, path: string, raw: RawOperation): ApiOperation {
  const [answerType, answer] = Object.entries(raw.responses?.["200"]?.content ?? {})[0] ?? ["text/event-stream", {}];
  return {
    method,
    path,
    summary: raw.summary,
    description: raw.description,
    parameters: raw.parameters ?? [],
    body: raw.requestBody?.content?.["application/json"]?.schema,
    answer: answer.schema,
    answerType,
  };
}

function isAbsent(): never {
  throw new Error("the documented API has no backend");
}

const absentBackend: ApiBackend = {
  status: isAbsent,
  plan: isAbsent,
  move: isAbsent,
  history: isAbsent,
  timeline: isAbsent,
  caller: isAbsent,
  releases: {
    plan: isAbsent,
    start: isAbsent,
    list: isAbsent,
    get: isAbsent,
    look: isAbsent,
    choices: isAbsent,
    report: isAbsent,
    order: isAbsent,
  },
  recentSamples: isAbsent,
  subscribe: isAbsent,
};
