import { expect, test } from "vitest";
import { destinationId, sketchTable } from "../../../test/route-table.fixture.ts";
import { addRoutes } from "../routes/add-routes.ts";
import type { RouteTable } from "../routes/route-table.ts";
import { splitsOf } from "../routes/weights.ts";
import { RouteEncoder } from "./route-encoder.ts";
import type { RouteForms } from "./route-forms.ts";

const hosts = ["a.example.com", "b.example.com", "*.c.example.com", "*"];
const table = sketchTable(
  hosts.map((host, index) => ({
    name: `shop/s${index}`,
    hosts: [host],
    rules: [{ name: "public", arms: { [`s${index}/blue`]: 90, [`s${index}/green`]: 10 } }],
  })),
);
const forms: RouteForms = { scoped: new Set(table.httpRoutings.map(({ id }) => id)), lingering: new Set() };
const splits = [...splitsOf(table).keys()];

/** Copies of the service with this number, which need a destination of their own. */
function mirrored(index: number): RouteTable {
  const to = { [splits[index] ?? ""]: destinationId(`s${index}/green`, "shop") };
  return addRoutes(table, [{ release: "shop/r", addition: { kind: "mirror", to, percent: 5, methods: ["GET"] } }]);
}

/** With endpoints of one destination chosen by a header, which routes are made of too. */
function hashed(index: number, header: string): RouteTable {
  const id = destinationId(`s${index}/blue`, "shop");
  const destination = table.destinations.get(id);
  if (destination === undefined) throw new Error(`${id} is not there.`);
  const loadBalancer = { kind: "ringHash", minimumRingSize: 1_024, key: { kind: "header", name: header } } as const;
  const changed = { ...destination, policy: { ...destination.policy, loadBalancer } };
  return { ...table, destinations: new Map([...table.destinations, [id, changed]]) };
}

test.each(hosts.map((_, index) => index))(
  "a destination that comes with the routes of host %d and goes again leaves what others have as it is",
  (index) => {
    const encoder = new RouteEncoder();
    const before = encoder.encode(table, forms);
    const laid = encoder.encode(mirrored(index), forms);
    expect(laid).toEqual(new RouteEncoder().encode(mirrored(index), forms));
    const changed = [...laid.routes].filter(([name, bytes]) => before.routes.get(name) !== bytes);
    expect(changed).toHaveLength(1);
    expect(laid.scopes).toBe(before.scopes);
    const after = encoder.encode(table, forms);
    expect(after).toEqual(before);
  },
);

test.each(hosts.map((_, index) => index))("a destination that routes of host %d are made of changes them", (index) => {
  const encoder = new RouteEncoder();
  const before = encoder.encode(table, forms);
  for (const header of ["x-user", "x-session"]) {
    const after = encoder.encode(hashed(index, header), forms);
    // Another encoder meets the same hosts meanwhile, and has other bytes for them.
    new RouteEncoder().encode(table, forms);
    expect(after).toEqual(new RouteEncoder().encode(hashed(index, header), forms));
    expect(after).not.toEqual(before);
  }
  expect(encoder.encode(table, forms)).toEqual(before);
});

test("bytes that another encoder has made meanwhile are not taken for those that were published", () => {
  const encoder = new RouteEncoder();
  encoder.encode(table, forms);
  new RouteEncoder().encode(hashed(0, "x-user"), forms);
  expect(encoder.encode(hashed(0, "x-user"), forms)).toEqual(new RouteEncoder().encode(hashed(0, "x-user"), forms));
});
