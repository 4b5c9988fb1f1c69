import { expect, test } from "vitest";
import { plainInk } from "../ink.ts";
import { renderStatus, type StatusView } from "./status.ts";

const replica = { address: "127.0.0.1:1", ready: true, restarts: 0, logFile: null };
const view = {
  gateways: [],
  services: [],
  releases: [],
  proxies: [],
  callers: [],
  inbound: [],
  refusedManifests: [],
  additions: [],
  workloads: [
    { name: "shop/well", replicas: [replica] },
    { name: "shop/ill", replicas: [{ ...replica, ready: false, logFile: "ill.log" }] },
  ],
} as unknown as StatusView;

test("whoever asks for one service is told of no workload but those that are not ready", () => {
  const options = { ink: plainInk, nowMs: 0, columns: 80 };
  expect(renderStatus(view, { ...options, isAboutOne: false })).toContain("shop/well");
  const one = renderStatus(view, { ...options, isAboutOne: true });
  expect(one).not.toContain("shop/well");
  expect(one).toContain("shop/ill");
});
