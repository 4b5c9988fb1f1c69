import { mapOf, strings, transform } from "../decode/collections.ts";
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
import { isHeaderName } from "./string-match.ts";

const unchanged: HeaderChanges = { set: {}, add: {}, remove: [] };

export const noHeaderOperations: HeaderOperations = { request: unchanged, response: unchanged };

const headerValues = mapOf((place, context) => {
  const name = String(place.key);
  if (!isHeaderName(name)) {
    return reportValue(place, context, `has the key ${JSON.stringify(name)}, which is no header name`);
  }
  const value = string(place, context);
  const complaint = value === invalid ? undefined : complainHeaderValue(value);
  return complaint === undefined ? value : reportValue(place, context, complaint);
});

const changes = object({
  fields: { set: withDefault(headerValues, {}), add: withDefault(headerValues, {}), remove: withDefault(strings, []) },
});

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

/** Envoy reads `%NAME%` as a variable and `%%` as a percent sign, and refuses anything between. */
function complainHeaderValue(value: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
    return "must hold no control characters";
  }
  const percents = value.split("%").length - 1;
  return percents % 2 === 0 ? undefined : 'must have each percent sign written as "%%", or as part of "%VARIABLE%"';
}
