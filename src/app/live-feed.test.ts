import { expect, test } from "vitest";
import type { LiveEvent } from "../api/types.ts";
import { LiveFeed } from "./live-feed.ts";

const event: LiveEvent = { event: "sample", sample: { atMs: 1, services: [] } };

test("a listener that throws is reported once, and the others hear everything", () => {
  const defects: unknown[] = [];
  const feed = new LiveFeed((error) => defects.push(error));
  const heard: LiveEvent[] = [];
  using broken = feed.subscribe(() => {
    throw new Error("a broken page");
  });
  using whole = feed.subscribe((one) => heard.push(one));
  expect([broken, whole]).toHaveLength(2);
  feed.publish(event);
  feed.publish(event);
  expect(heard).toEqual([event, event]);
  expect(defects).toEqual([new Error("a broken page")]);
});
