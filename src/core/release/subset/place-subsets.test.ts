import { expect, test } from "vitest";
import { placeSubsets } from "./place-subsets.ts";

const order = ["red", "blue", "grey"];

function named(text: string): { readonly name: string }[] {
  return text === "" ? [] : text.split(" ").map((name) => ({ name }));
}

function place(known: string, add: string): string {
  return placeSubsets(named(known), { add: named(add), order })
    .map(({ name }) => name)
    .join(" ");
}

test.each([
  ["blue grey green", "red", "red blue grey green"],
  ["red grey green", "blue", "red blue grey green"],
  ["red blue green", "grey", "red blue grey green"],
  ["green", "red", "green red"],
  ["grey green", "blue red", "red blue grey green"],
  ["green", "grey red blue", "green red blue grey"],
  ["red blue grey", "green", "red blue grey green"],
  ["red blue grey", "blue", "red blue grey"],
  ["", "blue", "blue"],
])("%s with %s put back is %s", (known, add, all) => {
  expect(place(known, add)).toBe(all);
});
