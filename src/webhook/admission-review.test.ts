import { expect, test } from "vitest";
import { parseReview, renderReview } from "./admission-review.ts";

const object = { apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata: { name: "a", namespace: "shop" } };

function review(request: unknown): string {
  return JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
}

test("a review is read as far as it is needed", () => {
  const read = parseReview(review({ uid: "1", operation: "UPDATE", object, oldObject: object, dryRun: true }));
  expect(read).toEqual({ uid: "1", operation: "UPDATE", object, oldObject: object });
});

test.each([
  ["no JSON", "{"],
  ["a list", "[]"],
  ["null", "null"],
  ["another kind", JSON.stringify({ kind: "Status" })],
  ["no request", review(undefined)],
  ["no uid", review({ operation: "CREATE", object })],
  ["a long uid", review({ uid: "1".repeat(300), operation: "CREATE", object })],
  ["CONNECT", review({ uid: "1", operation: "CONNECT", object })],
  ["deep nesting", review({ uid: "1", operation: "CREATE", object: JSON.parse("[".repeat(150) + "]".repeat(150)) })],
  ["nesting that ends recursions", `{"kind":"AdmissionReview","request":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
])("%s is no review", (_name, text) => {
  expect(parseReview(text)).toBeUndefined();
});

test("what is no object is left out", () => {
  expect(parseReview(review({ uid: "1", operation: "CREATE", object: { kind: "Gateway" } }))?.object).toBeUndefined();
});

test("what was not judged passes or not, and says why", () => {
  const answer = { kind: "unjudged", reason: "its copy of the cluster is not complete yet" } as const;
  const open = JSON.parse(renderReview("7", answer, "open"));
  expect(open.response).toMatchObject({
    uid: "7",
    allowed: true,
    warnings: [expect.stringContaining("not complete yet")],
  });
  const closed = JSON.parse(renderReview("7", answer, "closed"));
  expect(closed.response).toMatchObject({ allowed: false, status: { code: 503 } });
  expect(closed.response.status.message).toContain("its copy of the cluster is not complete yet");
});

test("warnings keep within what the API server passes on", () => {
  const warnings = Array.from({ length: 50 }, () => "x".repeat(1_000));
  const { response } = JSON.parse(renderReview("7", { kind: "allowed", warnings }, "open"));
  expect(response.warnings.join("").length).toBeLessThan(4_096);
  expect(response.warnings.every((each: string) => each.length <= 256)).toBe(true);
});
