import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { EnvoyAdmin } from "./admin.ts";
import { readCheckedFigures } from "./checked-figures.ts";

/** What Envoy 1.40 answers for a destination, and every filter that it was asked for. */
async function serve(stats: readonly object[]): Promise<{ readonly admin: EnvoyAdmin; readonly filters: RegExp[] }> {
  const folder = mkdtempSync(join(tmpdir(), "kirikae-figures-"));
  const filters: RegExp[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://envoy");
    filters.push(new RegExp(searchParams.get("filter") ?? "", "u"));
    response.end(JSON.stringify({ stats }));
  });
  const socket = join(folder, "admin.sock");
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  const admin = new EnvoyAdmin(socket);
  onTestFinished(() => {
    admin[Symbol.dispose]();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { admin, filters };
}

const green = "outbound|80|green|app.shop.svc.cluster.local";

test("counters, ejections and the buckets of all answers are read by destination", async () => {
  const { admin } = await serve([
    { name: `cluster.${green}.upstream_rq_completed`, value: 12 },
    { name: `cluster.${green}.upstream_rq_5xx`, value: 1 },
    { name: `cluster.${green}.outlier_detection.ejections_enforced_total`, value: 2 },
    { name: `cluster.${green}.outlier_detection.ejections_active`, value: 1 },
    {
      histograms: {
        supported_percentiles: [0, 100],
        details: [
          {
            name: `cluster.${green}.upstream_rq_time`,
            totals: [
              { lower_bound: 0, width: 0, count: 8 },
              { lower_bound: 3, width: 0.1, count: 2 },
              { lower_bound: 120, width: 10, count: 1 },
            ],
            intervals: [{ lower_bound: 3, width: 0.1, count: 1 }],
            percentiles: [],
          },
        ],
      },
    },
  ]);
  expect(await readCheckedFigures(admin, new Set([green]))).toEqual(
    new Map([
      [
        green,
        {
          requests: 12,
          errors: 1,
          ejections: 2,
          outOfRotation: 1,
          latency: [
            { fromMs: 0, widthMs: 1, count: 8 },
            { fromMs: 3, widthMs: 1, count: 2 },
            { fromMs: 120, widthMs: 10, count: 1 },
          ],
        },
      ],
    ]),
  );
});

test("only these destinations are asked for, whatever is in their names", async () => {
  const { admin, filters } = await serve([]);
  await readCheckedFigures(admin, new Set([green]));
  const [filter] = filters;
  expect(filter?.test(`cluster.${green}.upstream_rq_time`)).toBe(true);
  expect(filter?.test(`cluster.${green}.outlier_detection.ejections_active`)).toBe(true);
  expect(filter?.test(`cluster.${green}.external.upstream_rq_time`)).toBe(false);
  expect(filter?.test(`cluster.${green.replaceAll(".", "x")}.upstream_rq_completed`)).toBe(false);
  expect(filter?.test("cluster.80.upstream_rq_completed")).toBe(false);
});

test("many destinations are asked for in several questions, because Envoy bounds the length of one", async () => {
  const { admin, filters } = await serve([]);
  const names = Array.from({ length: 250 }, (_, number) => `${green}-${number}`);
  await readCheckedFigures(admin, new Set(names));
  expect(filters).toHaveLength(3);
  const unasked = names.filter(
    (name) => !filters.some((filter) => filter.test(`cluster.${name}.upstream_rq_completed`)),
  );
  expect(unasked).toEqual([]);
  expect(Math.max(...filters.map(({ source }) => encodeURIComponent(source).length))).toBeLessThan(30_000);
});
