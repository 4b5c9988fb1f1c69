import { mapOf, refine, strings, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  invalid,
  type Place,
  report,
  renderPath,
  reportValue,
} from "../decode/decoder.ts";
import { object, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import type { HeaderChanges, HeaderOperations } from "../virtual-service.ts";
import { complainFormat, type FormatComplaint } from "./header-format.ts";
import { isHeaderName } from "./string-match.ts";

/** Envoy's bound for a header's name and for its value. */
const maximumHeaderBytes = 16_384;

/** Envoy's bound for the headers that one route adds or sets. */
const maximumHeaderChanges = 1000;

const unchanged: HeaderChanges = { set: {}, add: {}, remove: [] };

export const noHeaderOperations: HeaderOperations = { request: unchanged, response: unchanged };

const headerValues = mapOf((place, context) => {
  const name = String(place.key);
  if (!isHeaderName(name) && !name.startsWith(":")) {
    return reportValue(place, context, `has the key ${JSON.stringify(name)}, which is no header name`);
  }
  if (name.length > maximumHeaderBytes) {
    return reportValue(place, context, `must have a name of at most ${maximumHeaderBytes} bytes`);
  }
  const value = string(place, context);
  const complaint = value === invalid ? undefined : complainHeaderValue(value);
  return complaint === undefined ? value : reportValue(place, context, { hint: undefined, ...complaint });
});

const changes = refine(
  object({
    fields: {
      set: withDefault(headerValues, {}),
      add: withDefault(headerValues, {}),
      remove: withDefault(strings, []),
    },
  }),
  (value) => complainHeaderCount([value]),
);

/** Envoy takes a bounded number of header changes for one route. */
export function complainHeaderCount(changed: readonly HeaderChanges[]): string | undefined {
  const count = changed.reduce((sum, { set, add }) => sum + Object.keys(set).length + Object.keys(add).length, 0);
  return count > maximumHeaderChanges
    ? `must set and add at most ${maximumHeaderChanges} headers, which is all that Envoy takes, but has ${count}`
    : undefined;
}

/** The authority may be set once; a response has none, and a proxy cannot work without it. */
const requestChanges: Decoder<HeaderChanges> = transform(changes, (value, place, context) => {
  const touching = [...Object.keys(value.set), ...Object.keys(value.add)].filter(isAuthority);
  if (touching.length > 1) {
    const message = `"${renderPath(place)}" changes the authority ${touching.length} times, as ${touching.join(" and ")}.`;
    report(place, context, { code: "KIR1014", message });
    return invalid;
  }
  const pseudo = [...Object.keys(value.set), ...Object.keys(value.add)].find(
    (name) => name.startsWith(":") && !isAuthority(name),
  );
  return checkRemoval(value, place, context) === invalid || rejectHeader(pseudo, place, context) === invalid
    ? invalid
    : value;
});

const responseChanges: Decoder<HeaderChanges> = transform(changes, (value, place, context) => {
  const pseudo = [...Object.keys(value.set), ...Object.keys(value.add)].find(isProtected);
  return checkRemoval(value, place, context) === invalid || rejectHeader(pseudo, place, context) === invalid
    ? invalid
    : value;
});

export const decodeHeaderOperations: Decoder<HeaderOperations> = object({
  fields: {
    request: withDefault(requestChanges, unchanged),
    response: withDefault(responseChanges, unchanged),
  },
});

function checkRemoval(value: HeaderChanges, place: Place, context: DecodeContext): undefined | typeof invalid {
  return rejectHeader(
    value.remove.find((name) => isProtected(name) || !isHeaderName(name)),
    place,
    context,
  );
}

function rejectHeader(name: string | undefined, place: Place, context: DecodeContext): undefined | typeof invalid {
  return name === undefined
    ? undefined
    : reportValue(place, context, `must not touch the header ${JSON.stringify(name)}`);
}

function isAuthority(name: string): boolean {
  return [":authority", "host"].includes(name.toLowerCase());
}

function isProtected(name: string): boolean {
  return name.startsWith(":") || name.toLowerCase() === "host";
}

function complainHeaderValue(value: string): FormatComplaint | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
    return { complaint: "must hold no control characters" };
  }
  return new TextEncoder().encode(value).length > maximumHeaderBytes
    ? { complaint: `must be at most ${maximumHeaderBytes} bytes long, which is all that Envoy takes` }
    : complainFormat(value);
}
