import { createSystemClock } from "../../src/engine/clock.ts";
import { RecordingTarget } from "../../src/targets/recording.ts";
import { describeTarget, type TargetFixture } from "./target.contract.ts";

const splits = new Map([
  ["shop/web/main", { "outbound|80|blue|web": 100, "outbound|80|green|web": 0 }],
  ["shop/web/preview", { "outbound|80|blue|web": 0, "outbound|80|green|web": 100 }],
]);

describeTarget({
  name: "RecordingTarget",
  async createFixture(): Promise<TargetFixture> {
    const clock = createSystemClock();
    const target = new RecordingTarget({ clock, splits });
    return {
      target,
      splits,
      rejectNext: () => target.behave({ kind: "reject", message: "no" }),
      async sendRequests(perSplit) {
        for (const { split, weights = {} } of await target.observe([...splits.keys()])) {
          const [live] = Object.entries(weights).find(([, weight]) => weight > 0) ?? [];
          for (let count = 0; count < perSplit; count += 1) {
            const atMs = clock.nowMs();
            target.countRequest({ split, destination: live ?? "", startedAtMs: atMs, endedAtMs: atMs, status: 200 });
          }
        }
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
