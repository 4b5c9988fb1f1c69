import { lenientList, list, refine, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Invalid,
  invalid,
  type Place,
  positionOf,
  reportConflict,
  reportDiscouraged,
  reportValue,
  reportLack,
} from "../decode/decoder.ts";
import { parseDuration } from "../decode/duration.ts";
import { fieldPlace, object, optional, required, withDefault } from "../decode/object.ts";
import { durationMs, number, string } from "../decode/scalars.ts";
import { combineMirrors } from "../combine-mirrors.ts";
import type { HttpAction, HttpDelegate, HttpRoute, HttpRouteDestination, MirrorFields } from "../virtual-service.ts";
import { decodeDestination, decodeMirrorPercent, decodeMirrorPolicy, decodeRouteDestination } from "./destination.ts";
import { decodeDirectResponse, decodeRedirect, decodeRewrite } from "./http-action.ts";
import { complainHeaderCount, decodeHeaderOperations, noHeaderOperations } from "./http-headers.ts";
import { decodeCors } from "./http-cors.ts";
import { decodeFault } from "./http-fault.ts";
import { decodeHttpMatch, namespaceCondition } from "./http-match.ts";
import { decodeRetries } from "./http-retry.ts";

const mirrorPercent = refine(number, (value) =>
  value >= 0 && value <= 100 ? undefined : `must be a percentage from 0 to 100, but is ${value}`,
);

/** Istio takes no `0s` here, although its absence means just that; so says its admission webhook. */
const timeoutMs: Decoder<number> = (place, context) =>
  place.value.kind === "string" && parseDuration(place.value.value) === 0
    ? reportValue(place, context, {
        complaint: "must be at least 1ms",
        hint: "Leave it out: a rule without timeout has none.",
      })
    : durationMs(place, context);

const delegateName = refine(string, (text) => (text === "" ? "must not be empty" : undefined));

const decodeDelegate: Decoder<HttpDelegate> = transform(
  object({ fields: { name: required(delegateName), namespace: optional(namespaceCondition) } }),
  ({ name, namespace }, place, context) => ({
    name,
    namespace,
    at: positionOf(place, context),
  }),
);

const decodeFields = object({
  fields: {
    name: optional(string),
    match: withDefault(list(decodeHttpMatch), []),
    // One that cannot be read is an error, and the others are still judged.
    route: withDefault(lenientList(decodeRouteDestination), []),
    redirect: optional(decodeRedirect),
    directResponse: optional(decodeDirectResponse),
    rewrite: optional(decodeRewrite),
    timeout: optional(timeoutMs),
    retries: optional(decodeRetries),
    mirror: optional(decodeDestination),
    mirrors: optional(list(decodeMirrorPolicy)),
    mirrorPercent: optional(mirrorPercent),
    mirror_percent: optional(mirrorPercent),
    mirrorPercentage: optional(decodeMirrorPercent),
    headers: withDefault(decodeHeaderOperations, noHeaderOperations),
    fault: optional(decodeFault),
    corsPolicy: optional(decodeCors),
    delegate: optional(decodeDelegate),
  },
});

type RouteFields = Exclude<ReturnType<typeof decodeFields>, symbol>;

/** One rule of `http`. Source of the rules: Istio `pkg/config/validation/virtualservice.go`. */
export const decodeHttpRoute: Decoder<HttpRoute> = transform(decodeFields, (fields, place, context) => {
  const action = buildAction(fields, place, context);
  const mirrorFields = readMirrorFields(fields, place, context);
  const complaint = complainPrefixRewrite(fields) ?? complainAuthority(fields) ?? complainHeaders(fields);
  if (complaint !== undefined) {
    reportConflict(place, context, complaint);
  }
  if (action === invalid || mirrorFields === invalid || complaint !== undefined) {
    return invalid;
  }
  return {
    name: fields.name === "" ? undefined : fields.name,
    match: fields.match,
    action,
    timeoutMs: fields.timeout,
    retries: fields.retries,
    rewrite: fields.rewrite,
    mirrors: combineMirrors(mirrorFields),
    mirrorFields,
    headers: fields.headers,
    fault: fields.fault,
    cors: fields.corsPolicy,
    at: positionOf(place, context),
  };
});

function buildAction(fields: RouteFields, place: Place, context: DecodeContext): HttpAction | Invalid {
  const names = actionNames(fields);
  if (names.length > 1) {
    return reportConflict(place, context, `must have one action, but has ${names.join(" and ")}`);
  }
  const { route, redirect, directResponse, delegate } = fields;
  if (delegate !== undefined) {
    return { kind: "delegate", ...delegate };
  }
  if (route.length > 0) {
    return checkWeights(route, place, context);
  }
  const stray = (["fault", "rewrite"] as const).find((name) => fields[name] !== undefined);
  if (stray !== undefined && names.length > 0) {
    return reportConflict(place, context, `must not have ${stray} without route`);
  }
  if (redirect !== undefined) {
    return { kind: "redirect", ...redirect };
  }
  return directResponse === undefined ? reportNoAction(place, context) : { kind: "directResponse", ...directResponse };
}

function actionNames({ route, redirect, directResponse, delegate }: RouteFields): readonly string[] {
  const given = Object.entries({ route: route.length > 0 ? route : undefined, redirect, directResponse, delegate });
  return given.flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

/** What stands in `route` and cannot be read is reported already. */
function reportNoAction(place: Place, context: DecodeContext): Invalid {
  const written = fieldPlace(place, "route")?.value;
  return written?.kind === "list" && written.items.length > 0
    ? invalid
    : reportLack(place, context, "needs one of route, redirect, directResponse and delegate");
}

/** Zero everywhere leaves nobody to send to; a single destination's weight is ignored, even 0. */
function checkWeights(
  destinations: readonly HttpRouteDestination[],
  place: Place,
  context: DecodeContext,
): HttpAction | Invalid {
  const total = destinations.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
  const routePlace = fieldPlace(place, "route") ?? place;
  if (destinations.length > 1 && total === 0) {
    const hint = "Give at least one destination a weight above 0.";
    return reportValue(routePlace, context, { complaint: "has several destinations and a total weight of 0", hint });
  }
  if (total > 4_294_967_295) {
    return reportValue(routePlace, context, "has weights that add up to more than 4294967295");
  }
  return { kind: "route", destinations };
}

function readMirrorFields(fields: RouteFields, place: Place, context: DecodeContext): MirrorFields | Invalid {
  const { mirror, mirrors = [] } = fields;
  if (mirror !== undefined && mirrors.length > 0) {
    return reportConflict(place, context, "must not have both mirror and mirrors");
  }
  const old = fieldPlace(place, "mirrorPercent") ?? fieldPlace(place, "mirror_percent");
  if (old !== undefined) {
    reportDiscouraged(old, context, {
      complaint: "is deprecated",
      hint: "Write mirrorPercentage: {value: N} instead.",
    });
  }
  const percent = fields.mirrorPercentage ?? fields.mirrorPercent ?? fields.mirror_percent;
  return { mirror, percent, mirrors };
}

/** Replacing the matched prefix means something only where no condition matches a path in another way. */
function complainPrefixRewrite(fields: RouteFields): string | undefined {
  const isAllowed = fields.match.every((match) => match.uri === undefined || match.uri.kind === "prefix");
  return (fields.redirect?.prefixRewrite ?? "") === "" || isAllowed
    ? undefined
    : "has redirect.prefixRewrite, which needs every uri to match a prefix";
}

/** The changes of an only destination become part of the rule's own. */
function complainHeaders({ headers, route }: RouteFields): string | undefined {
  const only = route.length === 1 ? route[0]?.headers : undefined;
  return only === undefined
    ? undefined
    : (complainHeaderCount([headers.request, only.request]) ?? complainHeaderCount([headers.response, only.response]));
}

/** Source: Istio `virtualservice.go`, validateAuthorityRewrite. */
function complainAuthority({ rewrite, headers }: RouteFields): string | undefined {
  const names = [...Object.keys(headers.request.set), ...Object.keys(headers.request.add)];
  const header = names.find((name) => [":authority", "host"].includes(name.toLowerCase()));
  return header === undefined || rewrite?.authority === undefined || rewrite.authority === ""
    ? undefined
    : `changes the authority twice, by rewrite.authority and by the header ${header}`;
}
