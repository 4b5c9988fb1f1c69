import { describe, expect, test } from "vitest";
import type { MoveResult } from "../../api/types.ts";
import type { Ledger, MovePlan } from "../../core/release/move/move.ts";
import { plainInk as ink } from "../ink.ts";
import { renderEnd, renderPlan } from "./move.ts";

const ids = {
  v1: "outbound|80|v1|fruit.ns.svc.cluster.local",
  v2: "outbound|80|v2|fruit.ns.svc.cluster.local",
  legacy: "outbound|80||legacy.ns.svc.cluster.local",
} as const;

type Shares = Partial<Record<keyof typeof ids, number>>;

function weights(shares: Shares): Record<string, number> {
  return Object.fromEntries(Object.entries(ids).map(([name, id]) => [id, shares[name as keyof typeof ids] ?? 0]));
}

function plan(verb: MovePlan["verb"], before: Shares, after: Shares): MovePlan {
  const change = {
    split: "ns/fruit/all",
    rule: 0,
    ruleName: undefined,
    role: "public",
    declared: weights(before),
  } as const;
  return {
    verb,
    virtualService: "ns/fruit",
    from: "v1",
    to: "v2",
    changes: [{ ...change, before: weights(before), after: weights(after) }],
    stays: [],
    versions: Object.entries(ids).map(([name, id]) => ({ name, destinations: [id] })),
    actor: "test",
    reason: undefined,
  };
}

function end(of: MovePlan, ledger: Partial<Ledger> = {}): string {
  const counted: Ledger = {
    requests: 10,
    ok: 10,
    failed: 0,
    byVersion: { v1: 4, v2: 6 },
    lastOldMs: null,
    oldAfterDone: 0,
    clientGone: 0,
    failures: [],
    isComplete: true,
    ...ledger,
  };
  const { from, to } = of;
  const result: MoveResult = {
    id: "m1",
    ok: true,
    outcome: "done",
    from,
    to,
    callToProofMs: 2,
    proxies: [],
    ledger: counted,
    plan: of,
    preflight: null,
    message: undefined,
  };
  return renderEnd(result, ink);
}

describe("the end of a move", () => {
  test("a shift says who has how much, and calls no version live", () => {
    const text = end(plan("shift", { v1: 100 }, { v1: 90, v2: 10 }));
    expect(text).toContain("Done  v2 has 10 %, v1 90 %, and the proxies prove it.");
    expect(text).not.toContain("live");
    expect(text).not.toMatch(/last answer|after done/);
  });

  test("a version is live when it has everything", () => {
    expect(end(plan("shift", { v1: 100 }, { v2: 100 }))).toContain("Done  v2 is live, and the proxies prove it.");
    const beside = end(plan("switch", { v1: 100, legacy: 10 }, { v2: 100, legacy: 10 }));
    expect(beside).toContain("Done  v2 has 90.91 %, legacy 9.09 %");
  });

  test("answers to testers are not old ones", () => {
    const switched = plan("switch", { v1: 100 }, { v2: 100 });
    const preview = {
      ...switched.changes[0],
      role: "preview",
      before: weights({ v2: 100 }),
      after: weights({ v1: 100 }),
    };
    const text = end({ ...switched, changes: [preview as MovePlan["changes"][number], ...switched.changes] });
    expect(text).toMatch(/v1 after done\s+0 \(v1 answers testers, which is not counted here\)/);
  });

  test("without requests nothing is said about answers", () => {
    const text = end(plan("switch", { v1: 100 }, { v2: 100 }), { requests: 0, ok: 0, byVersion: { v1: 0, v2: 0 } });
    expect(text).toContain("no requests came by; the proof is the proxies'");
    expect(text).not.toMatch(/last answer|before the call/);
  });
});

test("a shift beside a destination of another host says what its percentages are parts of", () => {
  const text = renderPlan(plan("shift", { v1: 100, legacy: 10 }, { v1: 50, v2: 50, legacy: 10 }), ink);
  expect(text).toContain(
    "v2 0 to 45.5 %, legacy stays 9.1 % (percents asked for are of the 90.9 % that v1 and v2 share)",
  );
});

test("a version that has had nothing, or gets nothing, is one of those that share", () => {
  const back = renderPlan(plan("shift", { v1: 50, v2: 50, legacy: 10 }, { v1: 100, v2: 0, legacy: 10 }), ink);
  expect(back).toContain("(percents asked for are of the 90.9 % that v1 and v2 share)");
});

function stuck(of: MovePlan, route?: string): string {
  const { from, to } = of;
  const message = "1 of 2 proxies confirmed; taken back, that was not proved either: istiod-2 does not answer.";
  const result: MoveResult = {
    id: "m1",
    ok: false,
    outcome: "stuck",
    from,
    to,
    callToProofMs: null,
    proxies: [],
    ledger: null,
    plan: of,
    preflight: null,
    message,
  };
  return renderEnd(result, ink, { contexts: ["prod"], route });
}

describe("a move that is stuck", () => {
  test("names the commands that show what is live, and that go back", () => {
    expect(stuck(plan("switch", { v1: 100 }, { v2: 100 }))).toBe(
      [
        "Stuck  1 of 2 proxies confirmed; taken back, that was not proved either: istiod-2 does not answer.",
        "See what is live with: kirikae --context prod status fruit -n ns",
        "Go back with: kirikae --context prod switch fruit -n ns --to v1",
      ].join("\n"),
    );
  });

  test("goes back on the one route that it was about", () => {
    const of = plan("switch", { v1: 100 }, { v2: 100 });
    expect(stuck(of, "public")).toContain("Go back with: kirikae --context prod switch fruit -n ns -r public --to v1");
    expect(stuck(of, "1")).toContain("switch fruit -n ns -r 1 --to v1");
    expect(stuck(of, "for Ann's team")).toContain(String.raw`switch fruit -n ns -r 'for Ann'\''s team' --to v1`);
  });

  test("goes back to shares", () => {
    expect(stuck(plan("shift", { v1: 7, v2: 3 }, { v2: 100 }))).toContain("shift fruit -n ns --to v1=70,v2=30");
    const three = stuck(plan("shift", { v1: 2, v2: 2, legacy: 1.001 }, { v2: 100 }));
    expect(three).toContain("shift fruit -n ns --to v1=39.99,v2=39.99,legacy=20.02");
  });
});

test("a refusal that preflight has told whole is not told again", () => {
  const refused = plan("switch", { v1: 100 }, { v2: 100 });
  const { from, to } = refused;
  const reason = "The rules of VirtualService ns/fruit belong to flux.";
  const check = { name: "VirtualService ns/fruit", verdict: "fail", detail: `KIR4006 ${reason}` } as const;
  const passed = { name: "proxies", verdict: "pass", detail: "2 serve ns/fruit" } as const;
  const result: MoveResult = {
    id: "m1",
    ok: false,
    outcome: "refused",
    from,
    to,
    callToProofMs: null,
    proxies: [],
    ledger: null,
    plan: refused,
    preflight: { ok: false, checks: [passed, check] },
    message: `VirtualService ns/fruit: KIR4006 ${reason}`,
  };
  const text = renderEnd(result, ink, { refusal: { code: "KIR4006", message: reason } });
  expect(text).toBe("Refused  Nothing was changed: preflight failed for VirtualService ns/fruit (KIR4006).");
});

test("a refusal by preflight has a code and says which versions are ready", () => {
  const refused = plan("switch", { v1: 100 }, { v2: 100 });
  const { from, to } = refused;
  const message = "endpoints of v2: none is ready";
  const result: MoveResult = {
    id: "m1",
    ok: false,
    outcome: "refused",
    from,
    to,
    callToProofMs: null,
    proxies: [],
    ledger: null,
    plan: refused,
    preflight: { ok: false, checks: [] },
    message,
  };
  const text = renderEnd(result, ink, {
    refusal: { code: "KIR2010", message, details: { ready: { v1: 2, v2: 0 } } },
  });
  expect(text).toBe("Refused  endpoints of v2: none is ready.\n  KIR2010  ready: v1 2, v2 0");
});
