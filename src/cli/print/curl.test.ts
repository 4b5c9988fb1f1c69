import { expect, test } from "vitest";
import { plainInk } from "../ink.ts";
import { renderCallerAnswer, renderCounts, renderNoSidecar } from "./curl.ts";

test("answers are counted as uniq -c counts lines, with the status where it is not 200", () => {
  const counts = renderCounts([
    { count: 953, status: 200, answer: "version1 server" },
    { count: 46, status: 200, answer: "version2 server" },
    { count: 1, status: 503, answer: "" },
  ]);
  expect(counts.split("\n")).toEqual(["953  version1 server", " 46  version2 server", "  1  503"]);
});

test("the head of an answer comes only where it was asked for", () => {
  const answer = { status: 404, reason: "Not Found", headers: [["server", "envoy"]] as const, body: "no\n" };
  expect(renderCallerAnswer(answer, false)).toBe("no");
  expect(renderCallerAnswer(answer, true)).toBe("HTTP/1.1 404 Not Found\nserver: envoy\n\nno");
});

test("a caller without a sidecar is told that no rule applies, why, and what to do", () => {
  const note = renderNoSidecar(
    {
      workload: "plain/client",
      proxy: null,
      withoutSidecar: "Namespace plain does not have the label istio-injection: enabled",
      hint: "Label it.",
      services: [],
      direct: { host: "app.plain.svc.cluster.local", port: 80, endpoints: ["127.0.0.1:1", "127.0.0.1:2"] },
    },
    plainInk,
  );
  expect(note).toBe(
    "warning plain/client has no sidecar: no rule of the mesh applies to what it sends. It reaches every endpoint of " +
      "app.plain.svc.cluster.local in turn.\n" +
      "  because Namespace plain does not have the label istio-injection: enabled.\n  Label it.",
  );
});
