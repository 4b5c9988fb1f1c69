import type { RequestPath } from "./request-path.ts";
import type { RoutedRequest } from "./request-target.ts";
import { replaceAll } from "./route-regex.ts";
import type { PathMatch, PathRewrite, RedirectAction } from "./route-table.ts";
import type { SimulatedRequest } from "./simulation.ts";
import { splitAuthority } from "./split-authority.ts";

/**
 * Path and query as the destination gets them. A prefix rewrite replaces what a prefix match matched, or the whole
 * path where the match is exact or a regex. Source: Envoy `config_impl.cc`, finalizePathHeader.
 */
export function rewriteTarget(
  { path, query }: RequestPath,
  match: PathMatch,
  rewrite: PathRewrite | undefined,
): string {
  if (rewrite === undefined) {
    return path + query;
  }
  switch (rewrite.kind) {
    case "prefix":
      return (
        (match.kind === "prefix" || match.kind === "pathPrefix"
          ? rewrite.value + path.slice(match.value.length)
          : rewrite.value) + query
      );
    case "full":
      return rewrite.value + query;
    case "regex":
      return replaceAll(path, rewrite.pattern, rewrite.substitution) + query;
  }
}

/**
 * The Location of a redirect. The request's host and port stay where the rule names none; the port goes when the rule
 * sets one, or when it is the usual one of a scheme that changes. The query stays unless the new path has its own.
 * Source: Envoy `source/common/http/utility.cc`, newUri.
 */
export function redirectLocation(
  action: RedirectAction,
  request: RoutedRequest,
  where: { readonly target: RequestPath; readonly match: PathMatch },
): string {
  const scheme = action.scheme ?? request.scheme;
  const port = action.port === undefined ? "" : `:${action.port}`;
  const host = action.host ?? hostWithoutPort(request, { hasNewPort: port !== "", scheme });
  const target = redirectTarget(action, where);
  // Envoy puts the slash there that a path without one lacks.
  return `${scheme}://${host}${port}${target.startsWith("/") ? "" : "/"}${target}`;
}

/** Where a request goes that must come by https: the same place, port included. */
export function httpsLocation(request: SimulatedRequest, { path, query }: RequestPath): string {
  return `https://${request.authority}${path}${query}`;
}

function redirectTarget(
  { path }: RedirectAction,
  { target, match }: { readonly target: RequestPath; readonly match: PathMatch },
): string {
  if (path === undefined) {
    return target.path + target.query;
  }
  switch (path.kind) {
    case "full":
      return path.value.includes("?") ? path.value : path.value + target.query;
    case "prefix":
      return rewriteTarget(target, match, path);
  }
}

function hostWithoutPort(
  request: RoutedRequest,
  { hasNewPort, scheme }: { readonly hasNewPort: boolean; readonly scheme: string },
): string {
  const { host, port } = splitAuthority(request.authority);
  const isUsual = port === (request.forwardedProto === "https" ? "443" : "80");
  return hasNewPort || (scheme !== request.scheme && isUsual) ? host : request.authority;
}
