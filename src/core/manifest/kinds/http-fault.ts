import { refine, transform } from "../decode/collections.ts";
import { type Decoder, renderPath, report, reportConflict, reportDiscouraged, reportValue } from "../decode/decoder.ts";
import { fieldPlace, object, optional } from "../decode/object.ts";
import { durationMs, integer, string } from "../decode/scalars.ts";
import type { HttpAbort, HttpFault } from "../virtual-service.ts";
import { decodePercent } from "./destination.ts";

/** In the order of their numbers. Source: gRPC `doc/statuscodes.md`. */
const grpcStatuses = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

const httpStatus = refine(integer, (status) =>
  status >= 200 && status <= 599 ? undefined : `must be a status from 200 to 599, but is ${status}`,
);

const grpcStatus: Decoder<number> = transform(string, (name, place, context) => {
  const number = grpcStatuses.indexOf(name);
  return number === -1
    ? reportValue(place, context, {
        complaint: `must be the name of a gRPC status, but is ${JSON.stringify(name)}`,
        hint: "Write it as UNAVAILABLE.",
      })
    : number;
});

const abortFields = object({
  fields: { httpStatus: optional(httpStatus), grpcStatus: optional(grpcStatus), percentage: optional(decodePercent) },
  unsupported: { http2Error: "Istio refuses it too, because no proxy carries it out" },
});

/** Undefined where nothing says what to answer: Istio takes that, and nothing is aborted. */
const decodeAbort: Decoder<HttpAbort | undefined> = transform(abortFields, (fields, place, context) => {
  const { httpStatus: http, grpcStatus: grpc, percentage = 0 } = fields;
  if (http !== undefined && grpc !== undefined) {
    return reportConflict(place, context, "must not have both httpStatus and grpcStatus");
  }
  if (grpc !== undefined) {
    return { kind: "grpc", status: grpc, percent: percentage };
  }
  if (http !== undefined) {
    return { kind: "http", status: http, percent: percentage };
  }
  if (fieldPlace(place, "http2Error") === undefined) {
    reportDiscouraged(place, context, "has neither httpStatus nor grpcStatus, so it aborts nothing");
  }
  return undefined;
});

const wholePercent = refine(integer, (value) =>
  value >= 0 && value <= 100 ? undefined : "must be a percentage from 0 to 100",
);

const oldPercent: Decoder<number> = transform(wholePercent, (value, place, context) => {
  const message = `"${renderPath(place)}" is deprecated.`;
  report(place, context, { code: "KIR1220", message, hint: `Write percentage: {value: ${value}} instead.` });
  return value;
});

const decodeDelay = transform(
  object({
    fields: {
      fixedDelay: optional(durationMs),
      percentage: optional(decodePercent),
      percent: optional(oldPercent),
    },
    unsupported: { exponentialDelay: "Istio refuses it too, because no proxy carries it out" },
  }),
  ({ fixedDelay, percentage, percent }) =>
    fixedDelay === undefined ? undefined : { delayMs: fixedDelay, percent: percentage ?? percent ?? 0 },
);

/** `fault`. Source of the rules: Istio `pkg/config/validation/validation.go`, validateHTTPFaultInjection. */
export const decodeFault: Decoder<HttpFault> = transform(
  object({ fields: { delay: optional(decodeDelay), abort: optional(decodeAbort) } }),
  (fault, place, context) =>
    fieldPlace(place, "delay") === undefined && fieldPlace(place, "abort") === undefined
      ? reportValue(place, context, "needs delay or abort")
      : { delay: fault.delay, abort: fault.abort },
);
