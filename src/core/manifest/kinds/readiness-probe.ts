import { list, nonEmpty, refine, strings, transform } from "../decode/collections.ts";
import { type Decoder, reportConflict, reportLack } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { integer, oneOf, portNumber, string } from "../decode/scalars.ts";

const count = withDefault(
  refine(integer, (value) => (value < 0 ? `must be 0 or more, but is ${value}` : undefined)),
  0,
);

const headerName = refine(string, (text) => (/^[-A-Za-z0-9]+$/.test(text) ? undefined : "must be a header name"));

const httpGet = object({
  fields: {
    path: optional(string),
    port: required(portNumber),
    host: optional(string),
    scheme: optional(oneOf(["", "HTTP", "HTTPS"])),
    httpHeaders: withDefault(
      list(object({ fields: { name: required(headerName), value: withDefault(string, "") } })),
      [],
    ),
  },
});

const methods = {
  httpGet: optional(httpGet),
  tcpSocket: optional(object({ fields: { host: optional(string), port: required(portNumber) } })),
  exec: optional(object({ fields: { command: required(nonEmpty(strings)) } })),
  grpc: optional(object({ fields: { port: optional(portNumber), service: optional(string) } })),
};

/**
 * `probe` of a WorkloadGroup, which is checked and then left alone. Source: Istio `pkg/config/validation/validation.go`,
 * validateReadinessProbe.
 */
export const decodeReadinessProbe: Decoder<undefined> = transform(
  object({
    fields: {
      initialDelaySeconds: count,
      timeoutSeconds: count,
      periodSeconds: count,
      successThreshold: count,
      failureThreshold: count,
      ...methods,
    },
  }),
  (probe, place, context) => {
    const given = [probe.httpGet, probe.tcpSocket, probe.exec, probe.grpc].filter((method) => method !== undefined);
    if (given.length === 0) {
      return reportLack(place, context, "needs one of httpGet, tcpSocket, exec and grpc");
    }
    return given.length > 1
      ? reportConflict(place, context, "must have one of httpGet, tcpSocket, exec and grpc, but has several")
      : undefined;
  },
);
