import { list, transform } from "../decode/collections.ts";
import { type Decoder, reportConflict, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { oneOf, string } from "../decode/scalars.ts";
import type { Notification, NotifiedEvent } from "../release.ts";
import { secretSource } from "./release-secret.ts";

const events = [
  "started",
  "step",
  "waiting",
  "paused",
  "failed",
  "rollingBack",
  "rolledBack",
  "aborted",
  "done",
] as const satisfies readonly NotifiedEvent[];

/** The place of a webhook may be as secret as its signature, so no message quotes it. */
const url: Decoder<string> = transform(string, (text, place, context) => {
  const parsed = URL.parse(text);
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    return reportValue(place, context, {
      complaint: "is no address of HTTP",
      hint: "Write it in full, such as https://hooks.example.com/kirikae.",
    });
  }
  if (parsed.username !== "" || parsed.password !== "") {
    return reportValue(place, context, {
      complaint: "holds a user's name or a password",
      hint: "Sign the messages instead: secret: {fromFile: PATH} names where the secret is.",
    });
  }
  return parsed.href;
});

const webhook = object({
  fields: {
    url: required(url),
    secret: optional(secretSource),
    events: withDefault(list(oneOf(events)), []),
  },
});

const fields = object({ fields: { log: optional(object({ fields: {} })), webhook: optional(webhook) } });

/** One of `log: {}` and `webhook: {url, secretFrom, events}`. */
export const notification: Decoder<Notification> = transform(fields, (given, place, context) => {
  if ((given.log === undefined) === (given.webhook === undefined)) {
    return reportConflict(place, context, {
      complaint: given.log === undefined ? "tells nobody" : "says two things at once",
      hint: "Give each entry one of log and webhook.",
    });
  }
  if (given.webhook === undefined) return { kind: "log" };
  return { kind: "webhook", ...given.webhook };
});
