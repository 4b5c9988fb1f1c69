import { describe, expect, test } from "vitest";
import { sketchTable, sketchWeights, type RuleSketch } from "../../../../test/route-table.fixture.ts";
import { describeServices } from "./describe-services.ts";

const rules: readonly RuleSketch[] = [
  { name: "preview", header: "x-version: green", arms: { "nginx/green": 100 }, idle: ["nginx/blue", "nginx/old"] },
  { name: "health", path: "/health" },
  { name: "live", arms: { "nginx/blue": 1 }, idle: ["nginx/green", "nginx/old"] },
];
const table = sketchTable([{ name: "ns/app", hosts: ["b.example.com", "a.example.com"], rules }]);

describe("a described service", () => {
  test("says who is live, who is previewed and who is idle", () => {
    const [service] = describeServices(table, new Map());
    expect(service).toMatchObject({ virtualService: "ns/app", live: "blue", isMoved: false });
    expect(service?.hosts).toEqual(["a.example.com", "b.example.com"]);
    expect(service?.versions.map(({ name, role }) => `${name} ${role}`)).toEqual([
      "green preview",
      "blue live",
      "old idle",
    ]);
    expect(service?.rules).toEqual([
      { rule: 0, name: "preview", role: "preview", weights: { green: 100, blue: 0, old: 0 } },
      { rule: 1, name: "health", role: "other", weights: {} },
      { rule: 2, name: "live", role: "public", weights: { blue: 100, green: 0, old: 0 } },
    ]);
  });

  test("keeps the live version while traffic is divided", () => {
    const current = new Map([["ns/app/live", sketchWeights({ "nginx/blue": 40, "nginx/green": 60 }, "ns")]]);
    const [service] = describeServices(table, current);
    expect(service).toMatchObject({ live: "blue", isMoved: true });
    expect(service?.versions.map(({ name, role }) => `${name} ${role}`)).toEqual([
      "green split",
      "blue live",
      "old idle",
    ]);
  });

  test("calls hosts as plans do", () => {
    const byHost = sketchTable([
      {
        name: "ns/api",
        rules: [{ arms: { "blue-api": 1 }, idle: ["green-api", "green-api.other.svc.cluster.local"] }],
      },
    ]);
    const [service] = describeServices(byHost, new Map());
    expect(service?.versions.map(({ name, role }) => `${name} ${role}`)).toEqual([
      "blue-api live",
      "green-api idle",
      "green-api.other.svc.cluster.local idle",
    ]);
  });
});
