import { describe, expect, test } from "vitest";
import { parseManifests } from "../parse-manifests.ts";

/** What is wrong with a Release that has this line, with its place; or its spec. */
function specWith(line: string): unknown {
  const text = [
    "apiVersion: kirikae.dev/v1alpha1",
    "kind: Release",
    "metadata: {name: to-green, namespace: shop}",
    "spec:",
    "  routes: [{virtualService: web}]",
    "  to: green",
    "  strategy: {blueGreen: {}}",
    `  ${line}`,
  ].join("\n");
  const { manifests, diagnostics } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "default" });
  if (diagnostics.length === 0) return manifests[0]?.spec;
  return diagnostics.map(({ at, message, hint }) => `${at?.line}:${at?.column} ${message} ${hint ?? ""}`.trim());
}

test("who may approve, and for how long a yes counts", () => {
  const text = "{approve: {people: 2, expires: 4h, starterMayApprove: false}}";
  expect(approvalIn(text)).toEqual({
    people: 2,
    question: undefined,
    expiresMs: 14_400_000,
    letsStarterApprove: false,
  });
  expect(approvalIn("{approve: {}}")).toMatchObject({ people: 1, expiresMs: undefined, letsStarterApprove: true });
});

function approvalIn(blueGreen: string): unknown {
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r, namespace: shop}, spec: {routes: [{virtualService: web}], to: green, strategy: {blueGreen: ${blueGreen}}}}`;
  const { manifests } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "default" });
  const [release] = manifests;
  if (release?.kind !== "Release" || release.spec.strategy.kind !== "blueGreen") throw new Error("No Release.");
  return release.spec.strategy.approve;
}

test("freezes, the longest time and who is told", () => {
  expect(
    specWith(
      'freezes: [{cron: "0 17 * * 5", duration: 63h, timeZone: Asia/Tokyo, reason: weekend}, {cron: "0 0 1 1 *", duration: 24h}]',
    ),
  ).toMatchObject({
    freezes: [
      { cron: "0 17 * * 5", durationMs: 226_800_000, timeZone: "Asia/Tokyo", reason: "weekend" },
      { cron: "0 0 1 1 *", durationMs: 86_400_000, timeZone: "UTC", reason: undefined },
    ],
  });
  expect(specWith("maxDuration: 6h")).toMatchObject({ maxDuration: { durationMs: 21_600_000, action: "rollback" } });
  expect(specWith("maxDuration: {duration: 30m, then: pause}")).toMatchObject({
    maxDuration: { durationMs: 1_800_000, action: "pause" },
  });
  expect(
    specWith(
      "notifications: [{log: {}}, {webhook: {url: https://hooks.example.com/a, secret: {fromFile: /run/key}, events: [failed, done]}}]",
    ),
  ).toMatchObject({
    notifications: [
      { kind: "log" },
      {
        kind: "webhook",
        url: "https://hooks.example.com/a",
        secret: { kind: "file", path: "/run/key" },
        events: ["failed", "done"],
      },
    ],
  });
});

describe("what is wrong is told where it is", () => {
  test.each([
    ['freezes: [{cron: "0 17 * *", duration: 1h}]', '8:20 "spec.freezes[0].cron" has 4 fields'],
    ['freezes: [{cron: "0 25 * * *", duration: 1h}]', '"spec.freezes[0].cron" has "25" as the hour'],
    ['freezes: [{cron: "0 0 31 2 *", duration: 1h}]', '"spec.freezes[0].cron" is a day that never comes'],
    ['freezes: [{cron: "0 0 * * *", duration: 1h, timeZone: Asia/Tokio}]', 'is "Asia/Tokio", which is no time zone'],
    ['freezes: [{cron: "0 0 * * *", duration: 1h, timeZone: Asia/Tokio}]', "Asia/Tokyo"],
    ['freezes: [{cron: "0 0 * * *", duration: 24h}]', "never ends: the next time has come before it is over"],
    ['freezes: [{cron: "* * * * *", duration: 1m}]', "never ends"],
    ['freezes: [{cron: "0 0 29 2 *", duration: 9000h}]', "lasts longer than a year"],
    ['freezes: [{cron: "0 0 * * *"}]', '"spec.freezes[0].duration" is missing'],
    ["maxDuration: 6", "must be a duration"],
    ["maxDuration: {duration: 6h, then: stop}", "none of rollback, pause"],
    ["notifications: [{}]", "tells nobody"],
    ["notifications: [{log: {}, webhook: {url: http://a}}]", "says two things at once"],
    ["notifications: [{webhook: {url: ftp://a}}]", "is no address of HTTP"],
    ["notifications: [{webhook: {url: http://a, events: [all]}}]", "none of started, step"],
  ])("%s", (line, complaint) => {
    expect(specWith(line)).toEqual([expect.stringContaining(complaint)]);
  });

  test("no message quotes what may be a secret", () => {
    const found = JSON.stringify([
      specWith("notifications: [{webhook: {url: http://ann:opensesame@a/}}]"),
      specWith("notifications: [{webhook: {url: opensesame}}]"),
      specWith("notifications: [{webhook: {url: http://a, secret: opensesame}}]"),
    ]);
    expect(found).toContain("holds a user's name or a password");
    expect(found).toContain("never be the secret itself");
    expect(found).not.toContain("opensesame");
  });
});
