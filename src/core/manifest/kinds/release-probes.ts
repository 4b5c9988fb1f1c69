import { list, refine, transform } from "../decode/collections.ts";
import type { Decoder } from "../decode/decoder.ts";
import { object, required, withDefault } from "../decode/object.ts";
import { number, oneOf, string } from "../decode/scalars.ts";
import type { ProbeRequest, Probes } from "../release.ts";

const perSecond = refine(number, (rate) =>
  rate > 0 && rate <= 1_000 ? undefined : `must be above 0 and at most 1000, but is ${rate}`,
);

/** As a Host header has it; a star would be sent as it is. */
const host = refine(string, (text) =>
  /^[\w.-]+(?::\d+)?$/u.test(text) ? undefined : `must be the name of a host, but is ${JSON.stringify(text)}`,
);

/** RFC 9112, section 3.2.1: no fragment, no space and nothing that ends a line. */
const path = refine(string, (text) =>
  /^\/[!-~]*$/u.test(text) && !text.includes("#")
    ? undefined
    : `must begin with a slash and have printable ASCII without spaces or #, but is ${JSON.stringify(text)}`,
);

const request: Decoder<ProbeRequest> = object({
  fields: { host: required(host), path: withDefault(path, "/"), method: withDefault(oneOf(["GET", "HEAD"]), "GET") },
});

/** `{perSecond: 10, requests: [{host: a.example.com, path: /}]}`; without requests the rules say what is asked. */
export const probes: Decoder<Probes> = transform(
  object({ fields: { perSecond: withDefault(perSecond, 10), requests: withDefault(list(request), []) } }),
  (fields) => fields,
);
