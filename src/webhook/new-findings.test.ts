import { expect, test } from "vitest";
import type { SourceText } from "../core/manifest/manifest.ts";
import { findNew } from "./new-findings.ts";

function routes(index: number, host: string): SourceText {
  const name = `web-${index}`;
  const spec = {
    hosts: [`${name}.example`],
    http: [{ name: "all", route: [{ destination: { host } }] }],
  };
  const metadata = { name, namespace: "shop", annotations: { long: "x".repeat(1_000) } };
  const object = { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata, spec };
  return { path: `VirtualService shop/${name}`, text: JSON.stringify(object), isObject: true };
}

const many = Array.from({ length: 500 }, (_, index) => routes(index, "web"));
const changed = [...many.slice(1), routes(0, "nowhere")];
const options = { nowMs: 0, leavesOut: () => false };

test("everything else has its turn between few objects, and the findings are those of one go", async () => {
  const { signal } = new AbortController();
  let ways = 0;
  const found = await findNew(many, changed, { ...options, signal, giveWay: async () => (ways += 1) });
  const size = many.reduce((sum, { text }) => sum + text.length, 0);
  expect(ways).toBeGreaterThan(size / 50_000);
  expect(found?.map(({ resource }) => resource)).toEqual(["VirtualService shop/web-0"]);
});

test("it ends soon after nobody waits for it any more", async () => {
  const stop = new AbortController();
  let ways = 0;
  const giveWay = async () => {
    ways += 1;
    if (ways === 2) stop.abort();
  };
  await expect(findNew(many, changed, { ...options, signal: stop.signal, giveWay })).resolves.toBeUndefined();
  expect(ways).toBe(2);
});
