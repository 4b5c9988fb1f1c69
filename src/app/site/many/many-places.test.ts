import { expect, test } from "vitest";
import type { OwnedAddition } from "../../../core/routes/route-addition.ts";
import { localAdditions, ManyPlaces } from "./many-places.ts";
import type { MovedPlace } from "../mesh/moved-site.ts";

const preview: OwnedAddition = {
  release: "shop/to-green",
  addition: {
    kind: "preview",
    name: "testers",
    to: { "east:shop/web/public": "east:outbound|80|green|web", "west:shop/web/public": "west:outbound|80|green|web" },
    marks: [],
  },
};

/** A cluster that counts requests of one destination, and remembers what was laid. */
function place(counts: number | undefined): MovedPlace & { readonly laidLast: () => readonly OwnedAddition[] } {
  let laid: readonly OwnedAddition[] = [];
  const figures = { requests: counts ?? 0, errors: 0, byClass: {} };
  const known = {
    stats: async () => (counts === undefined ? undefined : new Map([["outbound|80|green|web", figures]])),
    processes: () => (counts === undefined ? undefined : "pod-1"),
    lay: async (additions: readonly OwnedAddition[]) => {
      laid = additions;
    },
    status: async () => [{ node: "gateway.shop", connected: true, pid: undefined, types: [] }],
    findStripped: (additions: readonly OwnedAddition[]) => (additions.length > 0 ? "the preview is gone" : undefined),
    laidLast: () => laid,
  };
  return known as unknown as ReturnType<typeof place>;
}

const options = { target: { observe: () => Promise.resolve([]) }, additions: () => [preview] };

test("each cluster gets its part of an addition under its own names, and nothing of what is for others", async () => {
  const [east, north] = [place(1), place(2)];
  const places = new ManyPlaces(new Map(Object.entries({ east, north })), options);
  expect(places.laid).toEqual([preview]);
  await places.lay([preview]);
  expect(east.laidLast()).toEqual([
    {
      release: "shop/to-green",
      addition: { ...preview.addition, to: { "shop/web/public": "outbound|80|green|web" } },
    },
  ]);
  expect(north.laidLast()).toEqual([]);
  expect(places.findStripped([preview])).toBe("east: the preview is gone");
  expect(localAdditions([preview], "west")).toHaveLength(1);
});

test("counts and proxies have their cluster in front, and one that cannot be counted leaves no sum", async () => {
  const known = new ManyPlaces(new Map(Object.entries({ east: place(1), west: place(2) })), options);
  expect([...((await known.stats()) ?? [])].map(([id, { requests }]) => [id, requests])).toEqual([
    ["east:outbound|80|green|web", 1],
    ["west:outbound|80|green|web", 2],
  ]);
  expect((await known.status()).map(({ node }) => node)).toEqual(["east:gateway.shop", "west:gateway.shop"]);
  const blind = new ManyPlaces(new Map(Object.entries({ east: place(1), west: place(undefined) })), options);
  expect(await blind.stats()).toBeUndefined();
  expect(blind.processes()).toBeUndefined();
});
