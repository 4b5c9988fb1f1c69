import { expect, test } from "vitest";
import type { CountersByDestination } from "../core/release/plan/count-versions.ts";
import type { DestinationId, RouteTable } from "../core/routes/route-table.ts";
import { CheckLooks } from "./check-looks.ts";

function tableOf(...detecting: readonly DestinationId[]): Pick<RouteTable, "destinations"> {
  return {
    destinations: new Map(detecting.map((id) => [id, { policy: { outlierDetection: {} } }])),
  } as unknown as Pick<RouteTable, "destinations">;
}

class Proxy {
  readonly asked: (readonly string[])[] = [];
  readonly answers: PromiseWithResolvers<CountersByDestination | undefined>[] = [];
  readonly looks = new CheckLooks({ read: (destinations) => this.#read(destinations), table: () => tableOf("g") });

  #read(destinations: ReadonlySet<DestinationId>): Promise<CountersByDestination | undefined> {
    this.asked.push([...destinations]);
    const answer = Promise.withResolvers<CountersByDestination | undefined>();
    this.answers.push(answer);
    return answer.promise;
  }

  look(...destinations: readonly DestinationId[]): Promise<CountersByDestination | undefined> {
    return this.looks.look(new Set(destinations));
  }

  async answer(figures: CountersByDestination | undefined): Promise<void> {
    while (this.answers.length === 0) await Promise.resolve();
    this.answers.shift()?.resolve(figures);
  }
}

const counted: CountersByDestination = new Map([["b", { requests: 1, errors: 0 }]]);

test("checks that ask while a question is under way share the next", async () => {
  const proxy = new Proxy();
  const first = proxy.look("a");
  await Promise.resolve();
  const others = [proxy.look("b"), proxy.look("b", "c")];
  await proxy.answer(new Map());
  expect(await first).toEqual(new Map());
  await proxy.answer(counted);
  expect(await Promise.all(others)).toEqual([counted, counted]);
  expect(proxy.asked).toEqual([["a"], ["b", "c"]]);
});

test("a question that failed keeps nobody from asking again", async () => {
  const proxy = new Proxy();
  const first = proxy.look("a");
  await Promise.resolve();
  proxy.answers.shift()?.reject(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  const second = proxy.look("a");
  await proxy.answer(undefined);
  expect(await second).toBeUndefined();
});

test("where endpoints can be ejected, none ejected is 0", async () => {
  const proxy = new Proxy();
  const looked = proxy.look("b", "g");
  await proxy.answer(counted);
  expect(await looked).toEqual(new Map([...counted, ["g", { requests: 0, errors: 0, ejections: 0 }]]));
});
