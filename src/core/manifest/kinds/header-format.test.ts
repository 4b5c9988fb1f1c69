import { expect, test } from "vitest";
import { complainFormat } from "./header-format.ts";

test.each([
  "plain",
  "100%%",
  "%PROTOCOL%",
  "%PROTOCOL()%",
  "%REQ(x-user?:path):20%",
  "%REQ(a)%%PROTOCOL%",
  "%START_TIME(%s.%3f)%",
  "%DYNAMIC_METADATA(a:b):4%",
  "%FILTER_STATE(a:PLAIN)%",
  "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
])("%s is a format", (text) => {
  expect(complainFormat(text)).toBeUndefined();
});

test.each([
  ["50%", "each percent sign"],
  ["50% of 80%", "each percent sign"],
  ["%protocol%", "each percent sign"],
  ["%REQ(a)x%", "each percent sign"],
  ["%PROTOKOL%", "%PROTOKOL%, which Envoy does not know"],
  ["%PROTOCOL:3%", "takes nothing"],
  ["%PROTOCOL(x)%", "takes nothing"],
  ["%REQ%", "needs an argument"],
  ["%REQ(a b)%", "does not take"],
  ["%FILTER_STATE(a:BAD)%", "does not take"],
  ["%START_TIME(%s%3f):3%", "takes no length"],
])("%s is none: %s", (text, reason) => {
  expect(complainFormat(text)?.complaint).toContain(reason);
});

test("a variable that was nearly right is named", () => {
  expect(complainFormat("%PROTOKOL%")?.hint).toBe('Did you mean "PROTOCOL"?');
});
