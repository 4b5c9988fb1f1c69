import * as fc from "fast-check";
import { expect, test } from "vitest";
import { derivationOf, deriveMap } from "./derived-map.ts";

const names = fc.integer({ min: 0, max: 400 }).map((number) => `name-${number}`);
const change = fc.dictionary(names, fc.option(fc.nat(5), { nil: undefined }), { maxKeys: 40 });

test("a map derived again and again holds what a copied one holds, and knows what was touched", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.array(change, { maxLength: 12 }), (size, changes) => {
      let plain = new Map(Array.from({ length: size }, (_, index) => [`name-${index}`, 0]));
      let derived: ReadonlyMap<string, number> = new Map(plain);
      for (const step of changes) {
        const before = plain;
        plain = new Map(plain);
        for (const [name, value] of Object.entries(step)) {
          if (value === undefined) plain.delete(name);
          else plain.set(name, value);
        }
        const next = deriveMap(derived, new Map(Object.entries(step)));
        const touched = Object.keys(step).filter((name) => before.get(name) !== plain.get(name));
        if (touched.length === 0) expect(next).toBe(derived);
        else expect(derivationOf(next)).toEqual({ base: derived, touched });
        // What was derived from it must not have changed the old one.
        expect(new Map(derived)).toEqual(before);
        derived = next;
        expect(new Map(derived)).toEqual(plain);
        expect(derived.size).toBe(plain.size);
        expect([...derived.keys()].every((name) => derived.has(name))).toBe(true);
        expect([...derived.values()].length).toBe(plain.size);
        for (const name of Object.keys(step)) expect(derived.get(name)).toBe(plain.get(name));
      }
    }),
  );
});
