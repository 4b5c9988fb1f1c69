import swagger from "@fastify/swagger";
import { EventStreams } from "./event-streams.ts";
import { RecentMoves } from "./recent-moves.ts";
import { buildApp, defaultLimits } from "./server.ts";
import type { ApiBackend } from "./types.ts";

/** The parts of an OpenAPI document that docs/api.md shows. */
export interface OpenApiDocument {
  readonly paths?: Readonly<Record<string, unknown>>;
}

/** The OpenAPI document of the API, as its routes describe themselves. Nothing listens, and no backend is asked. */
export async function buildOpenApi(): Promise<OpenApiDocument> {
  using streams = new EventStreams(defaultLimits);
  const moves = new RecentMoves();
  const { app } = buildApp({ backend: absentBackend, moves, streams, limits: defaultLimits, onDefect: undefined });
  await app.register(swagger, {
    openapi: { openapi: "3.1.0", info: { title: "kirikae", version: "1" } },
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}

function isAbsent(): never {
  throw new Error("the documented API has no backend");
}

const absentBackend: ApiBackend = {
  status: isAbsent,
  plan: isAbsent,
  move: isAbsent,
  history: isAbsent,
  recentSamples: isAbsent,
  subscribe: isAbsent,
};
