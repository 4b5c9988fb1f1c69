import { readFile } from "node:fs/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { GuardedApi } from "./guard.ts";
import { pageAssets, readPage } from "./page-assets.ts";
import { readCookie, renderCookie } from "./page-sessions.ts";

/** The status page, its files, and signing a browser in by the link that `up` and `kirikae page` print. */
export function addPageRoutes(app: FastifyInstance, api: GuardedApi): void {
  app.get<{ Querystring: PageQuery }>("/", { config: { access: "page" }, schema: { hide: true } }, (request, reply) =>
    answerPage({ api, request, reply }),
  );
  for (const asset of pageAssets()) {
    app.get(asset.path, { config: { access: "public" }, schema: { hide: true } }, async (_request, reply) => {
      reply.type(asset.contentType);
      return readFile(asset.file);
    });
  }
}

interface PageQuery {
  /** A list where it was given twice. */
  readonly key?: unknown;
}

interface PageVisit {
  readonly api: GuardedApi;
  readonly request: FastifyRequest<{ Querystring: PageQuery }>;
  readonly reply: FastifyReply;
}

async function answerPage({ api, request, reply }: PageVisit): Promise<unknown> {
  const isSignedIn = api.sessions.isSignedIn(readCookie(request.headers.cookie, api.port()));
  const { key } = request.query;
  if (key !== undefined) {
    const session = isSignedIn || typeof key !== "string" ? undefined : api.sessions.redeem(key);
    if (session !== undefined) reply.header("set-cookie", renderCookie(api.port(), session));
    if (session !== undefined || isSignedIn) return reply.redirect("/", 303);
  }
  reply.type("text/html; charset=utf-8");
  if (isSignedIn) return readPage("index.html");
  // A link opened from another site (a web terminal, a chat) withholds the strict cookie on this first visit; a page
  // of our own that loads `/` again makes the next request one of our own site.
  if (request.headers["sec-fetch-site"] === "cross-site") return readPage("reload.html");
  reply.code(401);
  return readPage("sign-in.html");
}
