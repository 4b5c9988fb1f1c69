import { refine, transform } from "../decode/collections.ts";
import { type Decoder, positionOf } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { integer, number, portNumber, string } from "../decode/scalars.ts";
import { complainLabel } from "../names.ts";
import type { Destination, HttpMirror, HttpRouteDestination } from "../virtual-service.ts";
import { destinationHost } from "./hosts.ts";
import { decodeHeaderOperations, noHeaderOperations } from "./http-headers.ts";

/** `destination` of a route or a mirror. */
export const decodeDestination: Decoder<Destination> = transform(
  object({
    fields: {
      host: required(destinationHost),
      subset: optional(refine(string, (name) => (name === "" ? undefined : complainLabel(name)))),
      port: optional(object({ fields: { number: required(portNumber) } })),
    },
  }),
  ({ host, subset, port }, place, context) => ({
    host,
    subset: subset === "" ? undefined : subset,
    port: port?.number,
    at: positionOf(place, context),
  }),
);

/** A share of requests; relative to the sum of all. */
export const decodeWeight = refine(integer, (value) =>
  value < 0 || value > 2_147_483_647 ? `must be a weight of 0 or more, but is ${value}` : undefined,
);

export const decodeRouteDestination: Decoder<HttpRouteDestination> = object({
  fields: {
    destination: required(decodeDestination),
    weight: optional(decodeWeight),
    headers: withDefault(decodeHeaderOperations, noHeaderOperations),
  },
});

/** A percentage in Istio's form `{value: 12.5}`; Envoy counts in steps of 0.0001. */
export const decodePercent: Decoder<number> = transform(
  object({
    fields: {
      value: withDefault(
        refine(number, (value) =>
          value === 0 || (value >= 0.0001 && value <= 100)
            ? undefined
            : `must be 0, or a percentage from 0.0001 to 100, but is ${value}`,
        ),
        0,
      ),
    },
  }),
  ({ value }) => value,
);

/** As `decodePercent`; Istio takes shares of mirrors that are too small to count, too. */
export const decodeMirrorPercent: Decoder<number> = transform(
  object({
    fields: {
      value: withDefault(
        refine(number, (value) =>
          value >= 0 && value <= 100 ? undefined : `must be a percentage from 0 to 100, but is ${value}`,
        ),
        0,
      ),
    },
  }),
  ({ value }) => value,
);

export const decodeMirrorPolicy: Decoder<HttpMirror> = transform(
  object({ fields: { destination: required(decodeDestination), percentage: withDefault(decodeMirrorPercent, 100) } }),
  ({ destination, percentage }) => ({ destination, percent: percentage }),
);
