import { list, mapOf, nonEmpty, refine, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Invalid,
  type Place,
  reportConflict,
  reportValue,
} from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, durationMs, durationOrZeroMs, integer, oneOf, string } from "../decode/scalars.ts";
import type { Authentication, Condition, ExternalJudge, JudgeQuestion } from "../release.ts";
import { secretSource } from "./release-secret.ts";
import { templated, withoutTemplates } from "./release-template.ts";
import { isHeaderName } from "./string-match.ts";

const condition: Decoder<Condition> = transform(string, (text, place, context) => {
  const { operator, value } = /^\s*(?<operator><=|>=|==|!=|<|>)\s*(?<value>\S+)\s*$/u.exec(text)?.groups ?? {};
  const known = (["<", "<=", ">", ">=", "==", "!="] as const).find((each) => each === operator);
  const number = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/iu.test(value ?? "") ? Number(value) : Number.NaN;
  return known !== undefined && Number.isFinite(number)
    ? { operator: known, value: number }
    : reportValue(place, context, {
        complaint: `must be a comparison with a number, but is ${JSON.stringify(text.slice(0, 60))}`,
        hint: 'Write it such as "< 0.01", ">= 99.5" or "== 0".',
      });
});

/** An address that is shown in messages, so it must not hold a password. */
const httpUrl: Decoder<string> = transform(templated, (text, place, context) => {
  const url = URL.parse(withoutTemplates(text));
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    return reportValue(place, context, {
      complaint: "must be an absolute address of http or https",
      hint: "Write it such as http://127.0.0.1:9090.",
    });
  }
  if (url.username === "" && url.password === "") return text;
  return reportValue(place, context, {
    complaint: "must not hold a user name or password",
    hint: "Name them by basicAuth: {username: NAME, password: {fromFile: PATH}}.",
  });
});

/** What carries a secret by its meaning. */
const secretHeader = /^(?:authorization|proxy-authorization|cookie|.*(?:api-?key|token|secret|password).*)$/iu;

const header: Decoder<string> = (place, context) => {
  const name = String(place.key);
  if (!isHeaderName(name)) return reportValue(place, context, `is ${JSON.stringify(name)}, which is no header name`);
  if (secretHeader.test(name)) {
    return reportValue(place, context, {
      complaint: "may hold a secret, which must not be written here",
      hint: "Give bearer: {fromEnvironment: NAME} or basicAuth: {username: NAME, password: {fromFile: PATH}} beside the address.",
    });
  }
  return refine(templated, (value) => (/[\r\n\0]/u.test(value) ? "must be one line" : undefined))(place, context);
};

const headers = withDefault(mapOf(header), {});

const authenticationFields = {
  bearer: optional(secretSource),
  basicAuth: optional(object({ fields: { username: required(string), password: required(secretSource) } })),
};

interface AuthenticationFields {
  readonly bearer: Extract<Authentication, { kind: "bearer" }>["token"] | undefined;
  readonly basicAuth: Omit<Extract<Authentication, { kind: "basic" }>, "kind"> | undefined;
}

function authenticationOf(
  { bearer, basicAuth }: AuthenticationFields,
  place: Place,
  context: DecodeContext,
): Authentication | undefined | Invalid {
  if (bearer !== undefined && basicAuth !== undefined) {
    return reportConflict(place, context, { complaint: "has two secrets", hint: "Give one of bearer and basicAuth." });
  }
  if (bearer !== undefined) return { kind: "bearer", token: bearer };
  return basicAuth === undefined ? undefined : { kind: "basic", ...basicAuth };
}

/** Prometheus answers no query of more points. */
const mostPoints = 11_000;

const range = transform(
  object({ fields: { duration: required(durationMs), step: optional(durationMs) } }),
  ({ duration, step = Math.max(1_000, Math.ceil(duration / 60)) }, place, context) =>
    duration / step > mostPoints
      ? reportValue(place, context, `asks for more than ${mostPoints} points, which is all that Prometheus gives`)
      : { durationMs: duration, stepMs: step },
);

const prometheus: Decoder<JudgeQuestion> = transform(
  object({
    fields: {
      address: required(refine(httpUrl, (text) => (/[?#]/u.test(text) ? "must end before any ? or #" : undefined))),
      query: required(refine(templated, (text) => (text.trim() === "" ? "must not be empty" : undefined))),
      range: optional(range),
      success: required(condition),
      headers,
      ...authenticationFields,
    },
  }),
  ({ bearer, basicAuth, ...asked }, place, context) => {
    const authentication = authenticationOf({ bearer, basicAuth }, place, context);
    return typeof authentication === "symbol" ? authentication : { kind: "prometheus", ...asked, authentication };
  },
);

const http: Decoder<JudgeQuestion> = transform(
  object({
    fields: {
      url: required(httpUrl),
      method: withDefault(oneOf(["GET", "POST", "PUT"]), "GET"),
      headers,
      body: optional(templated),
      value: optional(object({ fields: { path: required(string), success: required(condition) } })),
      ...authenticationFields,
    },
  }),
  ({ bearer, basicAuth, ...asked }, place, context) => {
    if (asked.method === "GET" && asked.body !== undefined) {
      return reportConflict(place, context, { complaint: "sends a body by GET", hint: "Give method: POST." });
    }
    const authentication = authenticationOf({ bearer, basicAuth }, place, context);
    return typeof authentication === "symbol" ? authentication : { kind: "http", ...asked, authentication };
  },
);

const command = refine(nonEmpty(list(templated)), ([program = "", ...args]) => {
  if (program === "" || /\{\{/u.test(program)) return "must begin with the program to run, without a template";
  return [program, ...args].some((part) => part.includes("\0")) ? "must not hold a NUL" : undefined;
});

const atLeastOnce = refine(integer, (count) => (count >= 1 ? undefined : `must be at least 1, but is ${count}`));
const notNegative = refine(integer, (count) => (count >= 0 ? undefined : `must not be negative, but is ${count}`));

/** More often is a load on whoever is asked, and no better evidence. */
const interval = refine(durationMs, (ms) => (ms >= 100 ? undefined : "must be at least 100ms"));

/** Shown in one line, and a name for scripts. */
const judgeName = refine(string, (name) =>
  /^[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,61}[A-Za-z0-9])?$/u.test(name)
    ? undefined
    : "must be at most 63 letters, digits, spaces, dots, - and _",
);

const commandTimeoutMs = 30_000;
const requestTimeoutMs = 5_000;

const judge: Decoder<ExternalJudge> = transform(
  object({
    fields: {
      name: required(judgeName),
      interval: withDefault(interval, 10_000),
      initialDelay: withDefault(durationOrZeroMs, 0),
      count: optional(atLeastOnce),
      failureLimit: withDefault(notNegative, 0),
      inconclusiveLimit: withDefault(notNegative, 3),
      timeout: optional(durationMs),
      dryRun: withDefault(boolean, false),
      prometheus: optional(prometheus),
      http: optional(http),
      command: optional(command),
    },
  }),
  (fields, place, context) => {
    const asks = [fields.prometheus, fields.http, fields.command].filter((ask) => ask !== undefined);
    const ask = fields.prometheus ?? fields.http ?? commandQuestion(fields.command);
    if (asks.length !== 1 || ask === undefined) {
      return reportConflict(place, context, {
        complaint: asks.length === 0 ? "asks nobody" : "asks several at once",
        hint: "Give one of prometheus, http and command.",
      });
    }
    return {
      name: fields.name,
      intervalMs: fields.interval,
      initialDelayMs: fields.initialDelay,
      count: fields.count,
      failureLimit: fields.failureLimit,
      inconclusiveLimit: fields.inconclusiveLimit,
      timeoutMs: fields.timeout ?? (ask.kind === "command" ? commandTimeoutMs : requestTimeoutMs),
      isDryRun: fields.dryRun,
      ask,
    };
  },
);

function commandQuestion(given: readonly string[] | undefined): JudgeQuestion | undefined {
  return given === undefined ? undefined : { kind: "command", command: given };
}

/** Each with a name of its own, by which reports tell them apart. */
export const judges: Decoder<readonly ExternalJudge[]> = transform(nonEmpty(list(judge)), (given, place, context) => {
  const names = given.map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  return double === undefined ? given : reportConflict(place, context, `names two judges ${double}`);
});
