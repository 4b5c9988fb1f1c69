import { expect, test } from "vitest";
import type { MoveProgress } from "../api/types.ts";
import type { UpEvent } from "../app-types.ts";
import { ReleaseProcess, web } from "../../test/release-process.fixture.ts";
import { MoveTurns } from "./move-turns.ts";

interface Bench extends AsyncDisposable {
  readonly process: ReleaseProcess;
  readonly turns: MoveTurns;
  readonly events: UpEvent[];
  readonly shown: [string, MoveProgress["kind"]][];
  finished: number;
}

function bench(): Bench {
  const process = new ReleaseProcess();
  const made: Bench = {
    process,
    events: [],
    shown: [],
    finished: 0,
    turns: new MoveTurns({
      current: process.current,
      engine: process.engine,
      view: { showMove: (virtualService, { kind }) => made.shown.push([virtualService, kind]) },
      onEvent: (event) => made.events.push(event),
      onFinished: () => {
        made.finished += 1;
      },
    }),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
  return made;
}

test("the caller, the lines of up and whoever watches hear of every progress of a move", async () => {
  await using made = bench();
  const { turns, process } = made;
  const heard: MoveProgress["kind"][] = [];
  const result = await turns.move(
    () => process.planShift(10),
    ({ kind }) => heard.push(kind),
  );
  expect(result.outcome).toBe("done");
  expect(heard.at(-1)).toBe("finished");
  expect(heard).toContain("applying");
  expect(made.shown).toEqual(heard.map((kind) => ["shop/web", kind]));
  expect(made.events.map((event) => event.kind === "move" && event.progress.kind)).toEqual(heard);
  expect(made.finished).toBe(1);
});

test("a caller whose listener throws is told of once, and its move goes on", async () => {
  await using made = bench();
  const result = await made.turns.move(
    () => made.process.planShift(10),
    () => {
      throw new Error("a closed pipe");
    },
  );
  expect(result.outcome).toBe("done");
  expect(made.events.filter(({ kind }) => kind === "warning")).toEqual([
    { kind: "warning", message: "telling the caller how its move goes on failed: a closed pipe" },
  ]);
});

test("a plan that is refused when its turn comes is the caller's error, and the next move has its turn", async () => {
  await using made = bench();
  const refused = made.turns.move(
    () => {
      throw new Error("no such version");
    },
    () => {},
  );
  await expect(refused).rejects.toThrow("no such version");
  await made.turns.move(
    () => made.process.planShift(20),
    () => {},
  );
  expect(await made.process.weightOfGreen(web)).toBe(20);
});

test("a move of a release that has none any more moves nothing", async () => {
  await using made = bench();
  expect(await made.turns.moveForRelease(() => undefined)).toBe(undefined);
  expect(made.shown).toEqual([]);
});

test("what is alone waits for what runs, and what is asked for meanwhile waits for it", async () => {
  await using made = bench();
  const { turns } = made;
  const order: string[] = [];
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const laying = turns.lay(async () => {
    begun.resolve();
    await gate.promise;
    order.push("laid");
  });
  await begun.promise;
  const alone = turns.alone(async () => void order.push("alone"));
  const moving = turns.move(
    () => {
      order.push("planned");
      return made.process.planShift(10);
    },
    () => {},
  );
  gate.resolve();
  await Promise.all([laying, alone, moving, turns.idle()]);
  expect(order).toEqual(["laid", "alone", "planned"]);
});

test("what releases lay comes one after the other, beside moves", async () => {
  await using made = bench();
  const { turns, process } = made;
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.lay(async () => {
    await gate.promise;
    order.push("first");
  });
  const second = turns.lay(async () => void order.push("second"));
  await turns.move(
    () => process.planShift(10),
    () => {},
  );
  order.push("moved");
  gate.resolve();
  await Promise.all([first, second]);
  expect(order).toEqual(["moved", "first", "second"]);
});

test("what can wait, waits for the weights to be proved", async () => {
  await using made = bench();
  const { turns, process } = made;
  const seen: string[] = [];
  let waiting: Promise<unknown> | undefined;
  await turns.move(
    () => process.planShift(10),
    ({ kind }) => {
      seen.push(kind);
      if (kind === "applying") waiting = turns.untilProved().then(() => seen.push("waited"));
    },
  );
  await waiting;
  const after = seen.slice(seen.indexOf("applying") + 1);
  expect(after).toContain("waited");
  expect(after[0]).not.toBe("waited");
});
