import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "./api-error.ts";
import { readCookie, type PageSessions } from "./page-sessions.ts";
import { isSameSecret } from "./secrets.ts";

/**
 * Who may use a route. `public` holds no secrets (style sheet, script); `page` signs browsers in by itself; `read` takes
 * the token or the page's cookie; `order` the same, but a browser has to say that its own page sends it; `token` takes
 * the token alone, so that a browser can neither start a release nor move traffic beside one.
 */
export type Access = "public" | "page" | "read" | "order" | "token";

/** Who asks: a program that has the token, or the person that a page's link was made for. */
export type Caller =
  | { readonly kind: "anybody" }
  | { readonly kind: "token" }
  | { readonly kind: "page"; readonly actor: string };

export interface GuardedApi {
  /** The port it listens on; known once it listens. */
  port(): number;
  readonly token: string;
  readonly sessions: PageSessions;
}

/**
 * Refuses a request that came by a foreign name (DNS rebinding), from a foreign page (an Origin that is not ours), or
 * without the right that the route asks for. Throws KIR5051 or KIR5052.
 */
export function checkRequest(api: GuardedApi, headers: IncomingHttpHeaders, access: Access): Caller {
  checkHost(api, headers);
  checkOrigin(api, headers);
  if (access === "public" || access === "page") return { kind: "anybody" };
  if (hasToken(api, headers)) return { kind: "token" };
  const actor = api.sessions.actorOf(readCookie(headers.cookie, api.port()));
  if (actor === undefined) throw notSignedIn(headers);
  checkCameFromOwnPage(api, headers);
  if (access === "order") checkSentByOwnPage(headers);
  if (access !== "token") return { kind: "page", actor };
  throw new ApiError("KIR5051", "The page's cookie does not allow this; it needs the token.", {
    status: 403,
    exitStatus: 3,
    hint: "Use the kirikae command, or send the token as `Authorization: Bearer`.",
  });
}

/** The names that this API has: loopback addresses with its port. */
function ownHosts(port: number): readonly string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
}

function checkHost(api: GuardedApi, headers: IncomingHttpHeaders): void {
  const host = headers.host?.toLowerCase() ?? "";
  if (ownHosts(api.port()).includes(host)) return;
  throw new ApiError("KIR5052", "This API does not answer under that host name.", {
    status: 421,
    exitStatus: 2,
    hint: `Use http://127.0.0.1:${api.port()}/.`,
  });
}

function checkOrigin(api: GuardedApi, headers: IncomingHttpHeaders): void {
  if (headers.origin === undefined || isOwnOrigin(api, headers.origin)) return;
  throw foreignOrigin();
}

function isOwnOrigin(api: GuardedApi, origin: string): boolean {
  return ownHosts(api.port()).some((host) => origin === `http://${host}`);
}

/**
 * SameSite does not tell ports apart, and every gateway is on 127.0.0.1 too: an app behind one must not read this API
 * with the user's cookie. Browsers say where a request came from (Fetch Metadata); a request that does not is refused.
 */
function checkCameFromOwnPage(api: GuardedApi, headers: IncomingHttpHeaders): void {
  const site = headers["sec-fetch-site"];
  if (site === "same-origin" || site === "none") return;
  if (site === undefined && headers.origin !== undefined && isOwnOrigin(api, headers.origin)) return;
  throw foreignOrigin();
}

/** A click has an origin of its own; what a user types into the address bar, or an old browser sends, has none. */
function checkSentByOwnPage(headers: IncomingHttpHeaders): void {
  if (headers["sec-fetch-site"] !== "same-origin" || headers.origin === undefined) throw foreignOrigin();
}

function foreignOrigin(): ApiError {
  return new ApiError("KIR5052", "This API answers only its own page and the kirikae command.", {
    status: 403,
    exitStatus: 2,
  });
}

function hasToken(api: GuardedApi, headers: IncomingHttpHeaders): boolean {
  const given = /^Bearer +(?<token>\S+)$/iu.exec(headers.authorization ?? "")?.groups?.["token"];
  return given !== undefined && isSameSecret(given, api.token);
}

function notSignedIn(headers: IncomingHttpHeaders): ApiError {
  const message =
    headers.authorization === undefined
      ? "This needs the API's token, and the request has none."
      : "The token is not the one of this API.";
  return new ApiError("KIR5051", message, {
    status: 401,
    exitStatus: 3,
    hint: "The kirikae command reads it from the state folder; `kirikae page` prints a new link for a browser.",
  });
}
