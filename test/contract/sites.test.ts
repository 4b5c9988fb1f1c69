import { createSystemClock } from "../../src/engine/clock.ts";
import { RecordingTarget } from "../../src/targets/recording.ts";
import { SitesTarget } from "../../src/targets/sites.ts";
import { qualifyName } from "../../src/core/routes/site-names.ts";
import { describeTarget, type TargetFixture } from "./target.contract.ts";

const local = new Map([["shop/web/main", { "outbound|80|blue|web": 100, "outbound|80|green|web": 0 }]]);
// Contexts are called anything.
const contexts = ["east", "arn:aws:eks:eu-west-1:1:cluster/west"];
const splits = new Map(
  contexts.flatMap((context) =>
    [...local].map(([split, weights]) => [
      qualifyName(context, split),
      Object.fromEntries(Object.entries(weights).map(([name, weight]) => [qualifyName(context, name), weight])),
    ]),
  ),
);

describeTarget({
  name: "SitesTarget",
  async createFixture(): Promise<TargetFixture> {
    const clock = createSystemClock();
    const targets = contexts.map((name) => new RecordingTarget({ clock, splits: local, name }));
    return {
      target: new SitesTarget(new Map(targets.map((target) => [target.name, target]))),
      splits,
      // What is refused by all of them changes nothing anywhere; what is refused by one is for the engine.
      rejectNext: () => {
        for (const target of targets) target.behave({ kind: "reject", message: "no" });
      },
      async sendRequests(perSplit) {
        for (const target of targets) {
          const [split = "", weights = {}] = target.weights()[0] ?? [];
          const [live = ""] = Object.entries(weights).find(([, weight]) => weight > 0) ?? [];
          for (let count = 0; count < perSplit; count += 1) {
            const atMs = clock.nowMs();
            target.countRequest({ split, destination: live, startedAtMs: atMs, endedAtMs: atMs, status: 200 });
          }
        }
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
