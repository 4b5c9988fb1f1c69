import { refine, transform } from "../decode/collections.ts";
import { type Decoder, invalid, renderPath, report, reportValue, reportLack } from "../decode/decoder.ts";
import { object, optional, required } from "../decode/object.ts";
import { integer, oneOf, portNumber, string, zeroOr } from "../decode/scalars.ts";
import type { HttpRedirect, HttpRewrite } from "../virtual-service.ts";
import { parseBase64 } from "./base64.ts";
import { complainLine, regexText } from "./string-match.ts";

/** Text that goes into a request line or a header, where Envoy takes no line break. */
const lineText = refine(string, complainLine);

/** Istio lets other 3xx codes pass and then builds a route that does nothing, so they are refused here. */
const redirectCodes = [301, 302, 303, 307, 308];

const redirectCode = refine(integer, (code) => {
  if (code === 0 || redirectCodes.includes(code)) {
    return undefined;
  }
  const complaint = `must be one of ${redirectCodes.join(", ")}, but is ${code}`;
  return code >= 300 && code <= 399
    ? `${complaint}; Istio accepts it and then gives the proxy a rule without an action`
    : complaint;
});

export const decodeRedirect: Decoder<HttpRedirect> = transform(
  object({
    fields: {
      uri: optional(lineText),
      prefixRewrite: optional(lineText),
      authority: optional(lineText),
      scheme: optional(oneOf(["", "http", "https"])),
      port: optional(zeroOr(portNumber)),
      derivePort: optional(oneOf(["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"])),
      redirectCode: optional(redirectCode),
    },
  }),
  (fields, place, context) => {
    const { redirectCode: code, derivePort, port, ...others } = fields;
    if ([derivePort, port, ...Object.values(others)].every((value) => value === undefined || value === "")) {
      return reportLack(place, context, "needs one of uri, prefixRewrite, authority, scheme and port");
    }
    for (const [left, right] of [
      ["uri", "prefixRewrite"],
      ["port", "derivePort"],
    ] as const) {
      if (isGiven(fields[left]) && isGiven(fields[right])) {
        const message = `"${renderPath(place)}" must not have both ${left} and ${right}.`;
        report(place, context, { code: "KIR1014", message });
        return invalid;
      }
    }
    return { ...others, port: port ?? derivedPort(derivePort), status: code === undefined || code === 0 ? 301 : code };
  },
);

/** An empty text is the same as none. */
function isGiven(value: string | number | undefined): boolean {
  return value !== undefined && value !== "";
}

function derivedPort(derivePort: "FROM_PROTOCOL_DEFAULT" | "FROM_REQUEST_PORT" | undefined): HttpRedirect["port"] {
  switch (derivePort) {
    case "FROM_PROTOCOL_DEFAULT":
      return "fromProtocolDefault";
    case "FROM_REQUEST_PORT":
      return "fromRequestPort";
    case undefined:
      return undefined;
  }
}

const decodeRegexRewrite = object({
  fields: {
    match: required(regexText),
    rewrite: required(refine(lineText, (text) => (text === "" ? "must not be empty" : undefined))),
  },
});

export const decodeRewrite: Decoder<HttpRewrite> = transform(
  object({
    fields: {
      uri: optional(lineText),
      authority: optional(lineText),
      uriRegexRewrite: optional(decodeRegexRewrite),
    },
  }),
  ({ uri, authority, uriRegexRewrite }, place, context) => {
    if (!isGiven(uri) && !isGiven(authority) && uriRegexRewrite === undefined) {
      return reportLack(place, context, "needs one of uri, authority and uriRegexRewrite");
    }
    if (isGiven(uri) && uriRegexRewrite !== undefined) {
      const message = `"${renderPath(place)}" must not have both uri and uriRegexRewrite.`;
      report(place, context, { code: "KIR1014", message });
      return invalid;
    }
    return { uri, authority, uriRegex: uriRegexRewrite };
  },
);

const maximumBodyBytes = 1024 * 1024;
const largeBodyBytes = 100 * 1024;

const base64: Decoder<Uint8Array> = transform(
  string,
  (text, place, context) => parseBase64(text) ?? reportValue(place, context, "must be base64"),
);

const decodeBody: Decoder<Uint8Array> = transform(
  object({ fields: { string: optional(string), bytes: optional(base64) } }),
  ({ string: text, bytes }, place, context) => {
    if (text !== undefined && bytes !== undefined) {
      report(place, context, {
        code: "KIR1014",
        message: `"${renderPath(place)}" must not have both string and bytes.`,
      });
      return invalid;
    }
    const body = bytes ?? new TextEncoder().encode(text ?? "");
    if (body.length > maximumBodyBytes) {
      return reportValue(place, context, `must be at most 1 MiB, but is ${body.length} bytes long`);
    }
    if (body.length > largeBodyBytes) {
      const message = `"${renderPath(place)}" is ${body.length} bytes long, and every proxy keeps it in memory.`;
      report(place, context, { code: "KIR1013", message });
    }
    return body;
  },
);

/** Istio takes 600 too, and Envoy then refuses every route of the gateway: its own bound is 599. */
const responseStatus = refine(integer, (status) => {
  if (status >= 200 && status <= 599) {
    return undefined;
  }
  const complaint = `must be a status from 200 to 599, but is ${status}`;
  return status === 600 ? `${complaint}; Istio takes it, and Envoy then refuses every route of the gateway` : complaint;
});

export const decodeDirectResponse: Decoder<{ readonly status: number; readonly body: Uint8Array }> = transform(
  object({ fields: { status: required(responseStatus), body: optional(decodeBody) } }),
  ({ status, body }) => ({ status, body: body ?? new Uint8Array() }),
);
