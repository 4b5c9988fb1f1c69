import { expect, test } from "vitest";
import { isDayOf, parseCron } from "./cron.ts";

test.each([
  ["0 17 * * 5", { minutes: [0], hours: [17], week: [5] }],
  ["*/20 8-10 * * MON-FRI", { minutes: [0, 20, 40], hours: [8, 9, 10], week: [1, 2, 3, 4, 5] }],
  ["5,1-3 0 * * sun,7", { minutes: [1, 2, 3, 5], hours: [0], week: [0] }],
  ["0-30/15 23 1 JAN *", { minutes: [0, 15, 30], hours: [23], week: [0, 1, 2, 3, 4, 5, 6] }],
])("%s", (text, { minutes, hours, week }) => {
  const parsed = parseCron(text);
  expect(parsed).toMatchObject({ kind: "cron", cron: { minutes, hours } });
  expect(parsed.kind === "cron" && [...parsed.cron.daysOfWeek].toSorted((a, b) => a - b)).toEqual(week);
});

test.each([
  ["", "has 1 fields"],
  ["0 0 17 * * 5", "has 6 fields"],
  ["60 17 * * 5", `has "60" as the minute, which is from 0 to 59`],
  ["0 24 * * *", `has "24" as the hour`],
  ["0 0 0 * *", `has "0" as the day of the month`],
  ["0 0 * FOO *", `has "FOO" as the month`],
  ["0 0 * * 8", `has "8" as the day of the week`],
  ["0 0 * * FRI-MON", `has "FRI-MON" as the day of the week`],
  ["0 0 L * *", `has "L" as the day of the month`],
  ["*/0 * * * *", `has "*/0" as the minute`],
  ["5/10 * * * *", `has "5/10" as the minute`],
  ["1,,2 * * * *", `has "" as the minute`],
  ["0 0 * * 5#2", `has "5#2" as the day of the week`],
  ["-1 * * * *", `has "-1" as the minute`],
])("refuses %s", (text, complaint) => {
  expect(parseCron(text)).toMatchObject({ kind: "wrong", complaint: expect.stringContaining(complaint) });
});

test("a day of the month or of the week will do where both are limited, and both are needed otherwise", () => {
  const friday13 = { year: 2026, month: 11, day: 13 };
  const saturday14 = { year: 2026, month: 11, day: 14 };
  const friday20 = { year: 2026, month: 11, day: 20 };
  const days = (text: string): readonly boolean[] => {
    const parsed = parseCron(text);
    if (parsed.kind === "wrong") throw new Error(parsed.complaint);
    return [friday13, saturday14, friday20].map((day) => isDayOf(parsed.cron, day));
  };
  expect(days("0 0 14 * FRI")).toEqual([true, true, true]);
  expect(days("0 0 14 * *")).toEqual([false, true, false]);
  expect(days("0 0 * * FRI")).toEqual([true, false, true]);
  expect(days("0 0 */13 * FRI")).toEqual([false, false, false]);
  expect(days("0 0 * 12 *")).toEqual([false, false, false]);
});
