import { expect, test } from "vitest";
import type { LiveEvent, Status } from "../api/types.ts";
import { LiveView } from "./live-view.ts";
import type { TrafficReading } from "./traffic-history.ts";

function reading(atMs: number, requests: number): TrafficReading {
  return { atMs, counters: new Map([["shop/reviews:80|v1", { requests, errors: 0 }]]) };
}

function watched(): { readonly view: LiveView; readonly heard: LiveEvent[]; readonly watching: Disposable } {
  const view = new LiveView((error) => {
    throw error;
  });
  const heard: LiveEvent[] = [];
  return { view, heard, watching: view.subscribe((event) => heard.push(event)) };
}

test("traffic is shown from the second reading on, and kept for who comes late", () => {
  const { view, heard, watching } = watched();
  using _ = watching;
  view.showTraffic(reading(1_000, 10), () => []);
  expect({ heard, samples: view.samples }).toEqual({ heard: [], samples: [] });
  view.showTraffic(reading(2_000, 30), () => []);
  const sample = { atMs: 2_000, services: [] };
  expect({ heard, samples: view.samples }).toEqual({ heard: [{ event: "sample", sample }], samples: [sample] });
});

test("a status is put together when it is looked at, and not for nobody", () => {
  const { view, heard, watching } = watched();
  let built = 0;
  const status = {} as Status;
  view.showStatus(() => {
    built += 1;
    return status;
  });
  expect(built).toBe(0);
  const [event] = heard;
  expect(event?.event === "status" && event.status).toBe(status);
  expect(built).toBe(1);
  watching[Symbol.dispose]();
  view.showMove("shop/reviews", { kind: "waiting", text: "for a proxy" });
  expect(heard).toHaveLength(1);
});

test("the progress of a move is shown with its VirtualService and the time", () => {
  const { view, heard, watching } = watched();
  using _ = watching;
  const beforeMs = Date.now();
  view.showMove("shop/reviews", { kind: "waiting", text: "for a proxy" });
  expect(heard).toEqual([
    {
      event: "move",
      virtualService: "shop/reviews",
      atMs: expect.toSatisfy((atMs: number) => atMs >= beforeMs && atMs <= Date.now()),
      progress: { kind: "waiting", text: "for a proxy" },
    },
  ]);
});
