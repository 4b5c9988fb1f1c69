import type { HttpRedirect, HttpRetry, HttpRewrite, HttpRoute } from "../manifest/virtual-service.ts";
import { buildRetry } from "./build-retry.ts";
import { buildSplit, refOf, type SplitContext } from "./build-split.ts";
import { appendMutation, authorityOf, buildHeaderMutation, noMutation } from "./header-mutation.ts";
import { compileRegex, complainSubstitution } from "../manifest/regex.ts";
import type { PathRewrite, RedirectAction, RouteAction, SplitId } from "./route-table.ts";

/** What decides how the rules of one VirtualService act on one listener. */
export interface ActionContext extends SplitContext {
  readonly isTls: boolean;
  readonly defaultRetries: HttpRetry | undefined;
}

export type ActionResult =
  | { readonly kind: "action"; readonly action: RouteAction }
  | {
      readonly kind: "refused";
      readonly code: "KIR1006" | "KIR1101" | "KIR1102" | "KIR1103" | "KIR1104";
      readonly message: string;
    };

/** What a rule does with the requests it takes. Source: Istio `route.go`, translateRoute and below. */
export function buildAction(rule: HttpRoute, splitId: SplitId, context: ActionContext): ActionResult {
  const { action } = rule;
  switch (action.kind) {
    case "redirect":
      return withResponseHeaders(buildRedirect(action, context), rule);
    case "directResponse":
      return withResponseHeaders(
        { kind: "action", action: { kind: "direct", status: action.status, body: action.body } },
        rule,
      );
    case "route":
      return buildForward({ ...rule, destinations: action.destinations }, splitId, context);
    case "delegate":
      return { kind: "refused", code: "KIR1006", message: `The delegate ${action.name} is not read yet.` };
  }
}

/** Answers that the proxy gives itself have the rule's response headers too. */
function withResponseHeaders(result: ActionResult, rule: HttpRoute): ActionResult {
  const responseHeaders = buildHeaderMutation(rule.headers.response);
  if (result.kind === "refused" || result.action.kind === "forward" || responseHeaders === noMutation) {
    return result;
  }
  return { kind: "action", action: { ...result.action, responseHeaders } };
}

type ForwardRule = HttpRoute & {
  readonly destinations: Extract<HttpRoute["action"], { kind: "route" }>["destinations"];
};

function buildForward(rule: ForwardRule, splitId: SplitId, context: ActionContext): ActionResult {
  const result = buildSplit(splitId, rule.destinations, context);
  if (result.kind === "refused") {
    return result;
  }
  const complaint = complainRewrite(rule.rewrite);
  if (complaint !== undefined) {
    return { kind: "refused", code: "KIR1101", message: complaint };
  }
  // The only destination's header changes are part of the rule's own; with several each arm carries its own.
  const only = rule.destinations.length === 1 ? rule.destinations[0] : undefined;
  const request = buildHeaderMutation(rule.headers.request);
  const response = buildHeaderMutation(rule.headers.response);
  const hashes = only !== undefined && context.destinations.usesConsistentHash(refOf(only.destination, context));
  return {
    kind: "action",
    action: {
      kind: "forward",
      split: result.split,
      pathRewrite: pathRewrite(rule.rewrite),
      hostRewrite:
        nonEmpty(rule.rewrite?.authority) ??
        authorityOf(rule.headers.request) ??
        (only === undefined ? undefined : authorityOf(only.headers.request)),
      timeoutMs: rule.timeoutMs ?? 0,
      retry: buildRetry(rule.retries ?? context.defaultRetries, hashes),
      mirrors: rule.mirrors
        .filter((mirror) => mirror.percent > 0)
        .map((mirror) => ({
          destination: context.destinations.resolve(refOf(mirror.destination, context)),
          percent: mirror.percent,
        })),
      requestHeaders: only === undefined ? request : appendMutation(request, buildHeaderMutation(only.headers.request)),
      responseHeaders:
        only === undefined ? response : appendMutation(response, buildHeaderMutation(only.headers.response)),
    },
  };
}

function complainRewrite(rewrite: HttpRewrite | undefined): string | undefined {
  if (rewrite?.uriRegex === undefined) {
    return undefined;
  }
  const { match, rewrite: substitution } = rewrite.uriRegex;
  const regex = compileRegex(match);
  if (regex instanceof Error) {
    return `The rewrite pattern ${match} is not RE2: ${regex.message}.`;
  }
  const complaint = complainSubstitution(regex, substitution);
  return complaint === undefined ? undefined : `The rewrite ${substitution} cannot be used: ${complaint}.`;
}

function pathRewrite(rewrite: HttpRewrite | undefined): PathRewrite | undefined {
  if (rewrite?.uriRegex !== undefined) {
    return { kind: "regex", pattern: rewrite.uriRegex.match, substitution: rewrite.uriRegex.rewrite };
  }
  const uri = nonEmpty(rewrite?.uri);
  return uri === undefined ? undefined : { kind: "prefix", value: uri };
}

const redirectStatuses = [301, 302, 303, 307, 308] as const;

function buildRedirect(redirect: HttpRedirect, context: ActionContext): ActionResult {
  const status = redirect.status === 0 ? 301 : redirectStatuses.find((known) => known === redirect.status);
  if (status === undefined) {
    return { kind: "refused", code: "KIR1103", message: `A redirect with status ${redirect.status} cannot be sent.` };
  }
  return {
    kind: "action",
    action: {
      kind: "redirect",
      status,
      host: nonEmpty(redirect.authority),
      scheme: nonEmpty(redirect.scheme),
      port: redirectPort(redirect, context),
      path: redirectPath(redirect),
    },
  };
}

/** The port to put into the Location; the usual one of the scheme is left out. Source: Istio `route.go`, ApplyRedirect. */
function redirectPort(
  { port, scheme }: HttpRedirect,
  { listenerPort, isTls }: Pick<ActionContext, "listenerPort" | "isTls">,
): number | undefined {
  const asked = port === "fromRequestPort" ? listenerPort : port;
  if (asked === undefined || asked === "fromProtocolDefault" || asked === 0) {
    return undefined;
  }
  const usual = (nonEmpty(scheme) ?? (isTls ? "https" : "http")) === "https" ? 443 : 80;
  return asked === usual ? undefined : asked;
}

function redirectPath({ uri, prefixRewrite }: HttpRedirect): RedirectAction["path"] {
  const full = nonEmpty(uri);
  if (full !== undefined) {
    return { kind: "full", value: full };
  }
  const prefix = nonEmpty(prefixRewrite);
  return prefix === undefined ? undefined : { kind: "prefix", value: prefix };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
