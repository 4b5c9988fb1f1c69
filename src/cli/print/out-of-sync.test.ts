import { expect, test } from "vitest";
import { describeLate } from "./out-of-sync.ts";

const type = { type: "routes", sentVersion: "2026-11-21T10:00:00Z/17", ackedVersion: undefined, nack: undefined };

test("a proxy is late with what it was sent and has not taken", () => {
  expect(describeLate({ types: [{ ...type, ackedVersion: type.sentVersion }] })).toBe("");
  expect(describeLate({ types: [{ ...type, sentVersion: undefined }] })).toBe("");
  const clusters = { ...type, type: "clusters", nack: "no such TLS context" };
  expect(describeLate({ types: [clusters, type] })).toBe(
    "refuses clusters: no such TLS context; has not acknowledged routes",
  );
});
