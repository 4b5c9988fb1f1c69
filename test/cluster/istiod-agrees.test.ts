import { describe, expect, inject, test, beforeAll, afterAll } from "vitest";
import { readCases, type OracleCase } from "./case-file.ts";
import { intendedDifferences } from "./intended-differences.ts";
import { Judge } from "./judge.ts";

const programs = inject("clusterPrograms");

/** Files only: the ports come when the backends listen. */
const cases: readonly OracleCase[] = readCases(() => "1");

test("each case that differs names an entry of the list, and each entry of that kind has a case", () => {
  const named = new Set(cases.flatMap(({ differs }) => differs ?? []));
  const listed = intendedDifferences.filter(({ seenIn }) => seenIn.kind === "cases").map(({ id }) => id);
  expect([...named].toSorted()).toEqual(listed.toSorted());
});

describe.skipIf(programs.kind === "missing")("kirikae and a real istiod", () => {
  let judge: Judge;

  beforeAll(async () => {
    if (programs.kind === "present") judge = await Judge.start({ ...programs, envoy: inject("envoyBinary").path });
  });

  afterAll(async () => {
    await judge?.[Symbol.asyncDispose]();
  });

  for (const { name, title, differs } of cases) {
    const prove = differs === undefined ? test : test.fails;
    prove(`${name}: ${title}`, async () => {
      const { answers, outbound, tables } = await judge.compare(name);
      expect(answers).toEqual([]);
      expect(outbound.kirikae).toEqual(outbound.istiod);
      expect(tables.kirikae).toEqual(tables.istiod);
    });
  }
});
