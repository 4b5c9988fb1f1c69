import { expect, test } from "vitest";
import { CheckedFigures, checkedFilters } from "./checked-stats.ts";

const green = "outbound|80|green|app.shop.svc.cluster.local";

test("a cluster is known by its name, with the semicolon that istiod ends it with and without", () => {
  for (const ending of ["", ";"]) {
    const stat = (what: string): string => `cluster.${green}${ending}.${what}`;
    const [filter = "nothing"] = checkedFilters([green]);
    expect(new RegExp(filter, "u").test(stat("upstream_rq_5xx"))).toBe(true);
    const checked = new CheckedFigures();
    checked.addValue(stat("upstream_rq_completed"), 12);
    checked.addValue(stat("upstream_rq_5xx"), 1);
    checked.addValue(stat("outlier_detection.ejections_enforced_total"), 2);
    checked.addValue(stat("outlier_detection.ejections_active"), 3);
    checked.addLatency(stat("upstream_rq_time"), [{ fromMs: 1, widthMs: 1, count: 12 }]);
    expect(checked.figures).toEqual(
      new Map([
        [
          green,
          {
            requests: 12,
            errors: 1,
            ejections: 2,
            outOfRotation: 3,
            latency: [{ fromMs: 1, widthMs: 1, count: 12 }],
          },
        ],
      ]),
    );
  }
});

test("statistics that nobody judges are passed over", () => {
  const checked = new CheckedFigures();
  checked.addValue(`cluster.${green}.upstream_rq_total`, 12);
  checked.addValue("listener.0.0.0.0_80.downstream_cx_total", 1);
  expect(checked.figures).toEqual(new Map());
});
