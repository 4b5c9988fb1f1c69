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

test("a proxy that nobody knows of is neither connected nor not, and has acknowledged nothing", () => {
  const node = "gw-1.edge";
  const unknown = "istiod istiod-2 does not answer (refused)";
  const proxies = [
    { node, connected: false, pid: undefined, types: [], unknown },
    { node: "gw-2.edge", connected: false, pid: undefined, types: [] },
    { node: "gw-3.edge", connected: true, pid: undefined, types: [] },
  ];
  const text = renderStatus({ ...view, proxies }, { ink: plainInk, nowMs: 0, columns: 80, isAboutOne: false });
  expect(text).toMatch(/gw-1\.edge\s+not known\s+istiod istiod-2 does not answer \(refused\)\n/);
  expect(text).toMatch(/gw-2\.edge\s+not connected\s*\n/);
  expect(text).toMatch(/gw-3\.edge\s+connected\s+has acknowledged everything/);
});

test("whoever asks for one service is told of no workload but those that are not ready", () => {
  const options = { ink: plainInk, nowMs: 0, columns: 80 };
  expect(renderStatus(view, { ...options, isAboutOne: false })).toContain("shop/well");
  const one = renderStatus(view, { ...options, isAboutOne: true });
  expect(one).not.toContain("shop/well");
  expect(one).toContain("shop/ill");
});
