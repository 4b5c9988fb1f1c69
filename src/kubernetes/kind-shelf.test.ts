import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KindShelf, type ShelfChange } from "./kind-shelf.ts";
import type { KubeObject } from "./kube-object.ts";

function objectOf(name: string, version: number, more: object = {}): KubeObject {
  const metadata = { name, namespace: "a", resourceVersion: String(version), ...more };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { version: String(version) } };
}

test("what nobody reads is left out, and everything else stays", () => {
  const shelf = new KindShelf();
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}", "a/b": "c" };
  const managedFields = [{ manager: "kubectl", operation: "Apply" }];
  shelf.put(objectOf("one", 1, { annotations, managedFields, labels: { l: "m" }, uid: "u" }));
  expect(shelf.get("a/one")).toEqual(objectOf("one", 1, { annotations: { "a/b": "c" }, labels: { l: "m" }, uid: "u" }));
});

test("versions are compared as numbers, and where they are none the last word counts", () => {
  const shelf = new KindShelf();
  shelf.put(objectOf("one", 9));
  expect(shelf.put(objectOf("one", 10))).toMatchObject({ name: "a/one", object: objectOf("one", 10) });
  expect(shelf.put(objectOf("one", 9))).toBeUndefined();
  const opaque = (resourceVersion: string): KubeObject => objectOf("two", 0, { resourceVersion });
  shelf.put(opaque("b"));
  expect(shelf.put(opaque("a"))).toMatchObject({ name: "a/two", object: opaque("a") });
  expect(shelf.put(opaque("a"))).toBeUndefined();
});

test("a list of one namespace leaves the others alone", () => {
  const shelf = new KindShelf();
  shelf.replaceAll({ resourceVersion: "2", items: [objectOf("one", 1)] }, "a");
  shelf.replaceAll({ resourceVersion: "3", items: [objectOf("one", 2, { namespace: "b" })] }, "b");
  expect(shelf.replaceAll({ resourceVersion: "4", items: [] }, "b")).toMatchObject([{ name: "b/one" }]);
  expect(shelf.get("a/one")).toEqual(objectOf("one", 1));
});

describe("whatever order lists, events and answers of writes come in", () => {
  /** One object of a cluster over time: at each version it is there with that version, or gone. */
  const history = fc.array(fc.constantFrom("write", "delete"), { minLength: 1, maxLength: 12 });
  const step = fc.oneof(
    { arbitrary: fc.constant({ kind: "event" } as const), weight: 5 },
    { arbitrary: fc.record({ kind: fc.constant("take" as const), back: fc.nat({ max: 5 }) }), weight: 3 },
    { arbitrary: fc.constant({ kind: "list" } as const), weight: 1 },
    { arbitrary: fc.constant({ kind: "bookmark" } as const), weight: 1 },
  );

  test("the shelf ends with what is there, each change follows from the last, and nothing goes back", () => {
    fc.assert(
      fc.property(history, fc.array(step, { maxLength: 40 }), (happened, steps) => {
        // What the cluster says at each version; two deletions in a row are one.
        const states: (KubeObject | undefined)[] = [undefined];
        for (const each of happened) {
          const version = states.length;
          states.push(each === "write" ? objectOf("one", version) : undefined);
        }
        const shelf = new KindShelf();
        shelf.replaceAll({ resourceVersion: "0", items: [] }, undefined);
        let seen = 0;
        let taken = 0;
        let last: KubeObject | undefined;
        const follow = (changes: readonly (ShelfChange | undefined)[]): void => {
          for (const change of changes) {
            if (change === undefined) continue;
            expect(change.before).toBe(last);
            const [from, to] = [versionOf(last), versionOf(change.object)];
            if (from !== undefined && to !== undefined) expect(to).toBeGreaterThan(from);
            last = change.object;
          }
          expect(shelf.get("a/one")).toBe(last);
        };
        const advance = (): void => {
          if (seen + 1 >= states.length) return;
          seen += 1;
          const [before, now] = [states[seen - 1], states[seen]];
          if (now !== undefined) follow([shelf.observe({ kind: "modified", object: now }, undefined)]);
          else if (before !== undefined) {
            const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(seen) } };
            follow([shelf.observe({ kind: "deleted", object }, undefined)]);
          }
        };
        for (const each of steps) {
          if (each.kind === "event") advance();
          else if (each.kind === "take") {
            // The answer of any write of the past, or of one that the watch has not told of yet.
            const object = states[Math.max(states.length - 1 - each.back, 0)];
            if (object !== undefined) follow([shelf.put(object)]);
            taken = Math.max(taken, versionOf(object) ?? 0);
          } else if (each.kind === "bookmark") {
            shelf.observe({ kind: "bookmark", resourceVersion: String(seen) }, undefined);
          } else {
            seen = Math.max(seen, Math.ceil((seen + states.length - 1) / 2));
            const object = states[seen];
            const items = object === undefined ? [] : [object];
            follow(shelf.replaceAll({ resourceVersion: String(seen), items }, undefined));
          }
          // The newest that it has been told of in any way.
          expect(versionOf(shelf.get("a/one"))).toBe(versionOf(states[Math.max(seen, taken)]));
        }
        while (seen + 1 < states.length) advance();
        expect(versionOf(shelf.get("a/one"))).toBe(versionOf(states.at(-1)));
      }),
      { numRuns: 2_000 },
    );
  });
});

function versionOf(object: KubeObject | undefined): number | undefined {
  return object === undefined ? undefined : Number(object.metadata.resourceVersion);
}
