import { expect, test } from "vitest";
import { parseManifests } from "./parse-manifests.ts";

function findingsAbout(kind: string, rest: string): readonly string[] {
  const text = `apiVersion: networking.istio.io/v1\nkind: ${kind}\n${rest}`;
  return parseManifests([{ path: "a.yaml", text }], { defaultNamespace: "default" }).diagnostics.map(
    ({ code, istioCode, level, at }) => `${code} ${istioCode} ${level} ${at?.line}:${at?.column}`,
  );
}

function rule(match: string): string {
  return `metadata: {name: a}\nspec: {hosts: [a], http: [{match: [{${match}}], route: [{destination: {host: a}}]}]}`;
}

test.each([
  [rule("headers: {x: {regex: '*'}}"), "4:58"],
  [rule("queryParams: {x: {regex: '*'}}"), "4:62"],
  [rule("method: {regex: '*'}"), "4:53"],
  ["metadata: {name: a}\nspec: {hosts: [a], gateways: [./b], http: [{route: [{destination: {host: a}}]}]}", "4:31"],
])("what only Istio's admission webhook refuses is an error, and served: %s", (text, place) => {
  expect(findingsAbout("VirtualService", text)).toEqual([`KIR1340 IST0106 error ${place}`]);
});

test("what the webhook takes is no finding", () => {
  expect(findingsAbout("VirtualService", rule("withoutHeaders: {x: {regex: '*'}}"))).toEqual([]);
  expect(findingsAbout("VirtualService", rule("headers: {x: {regex: '.*'}, z: {}}"))).toEqual([]);
});

function policy(settings: string): string {
  return `metadata: {name: a}\nspec: {host: a, trafficPolicy: {portLevelSettings: [${settings}]}}`;
}

test("an empty list of port settings is a policy without anything", () => {
  expect(findingsAbout("DestinationRule", policy(""))).toEqual(["KIR1005 IST0106 error 4:32"]);
  expect(findingsAbout("DestinationRule", policy("{port: {number: 80}, loadBalancer: {simple: RANDOM}}"))).toEqual([]);
});

test.each([
  ["labels: {kirikae.dev/ignore: KIR1036}", ["KIR1341 undefined warning 3:30"]],
  ["annotations: {kirikae.dev/ignored: 'KIR1036: known'}", ["KIR1341 undefined warning 3:35"]],
  ["annotations: {kirikae.dev/ignore: 'KIR1036: known'}", []],
])("a suppression that stands elsewhere is told: %s", (text, expected) => {
  expect(findingsAbout("VirtualService", rule("").replace("name: a", `name: a, ${text}`))).toEqual(expected);
});
