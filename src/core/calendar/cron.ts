/** The times of a cron expression, as sets of numbers. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Where both kinds of days are limited, a day of either kind will do, as in every cron since Vixie's. */
  readonly takesEitherDay: boolean;
}

export type CronParsing =
  | { readonly kind: "cron"; readonly cron: Cron }
  /** A complaint that follows the name of the field. */
  | { readonly kind: "wrong"; readonly complaint: string; readonly hint: string };

interface FieldRule {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words: readonly string[];
}

const monthWords = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const dayWords = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const rules = [
  { name: "minute", least: 0, most: 59, words: [] },
  { name: "hour", least: 0, most: 23, words: [] },
  { name: "day of the month", least: 1, most: 31, words: [] },
  { name: "month", least: 1, most: 12, words: monthWords },
  { name: "day of the week", least: 0, most: 7, words: dayWords },
] as const satisfies readonly FieldRule[];

const example =
  "Write minute, hour, day of the month, month and day of the week, such as `0 17 * * 5` for Fridays at 17:00.";

/**
 * Reads five fields of numbers, names of months and days, `*`, ranges, lists and steps: what POSIX's crontab takes, and
 * steps and names. Other extensions (`L`, `#`, `@daily`, seconds) differ from one program to the next and are refused.
 */
export function parseCron(text: string): CronParsing {
  const fields = text.trim().split(/\s+/u);
  if (fields.length !== rules.length) {
    return { kind: "wrong", complaint: `has ${fields.length} fields, and a cron expression has 5`, hint: example };
  }
  const sets: ReadonlySet<number>[] = [];
  for (const [index, rule] of rules.entries()) {
    const field = fields[index] ?? "";
    const numbers = parseField(field, rule);
    if (typeof numbers === "string") return { kind: "wrong", complaint: numbers, hint: example };
    sets.push(numbers);
  }
  const [minutes = none, hours = none, daysOfMonth = none, months = none, week = none] = sets;
  const cron: Cron = {
    minutes: inOrder(minutes),
    hours: inOrder(hours),
    daysOfMonth,
    months,
    daysOfWeek: new Set([...week].map((day) => day % 7)),
    takesEitherDay: !(fields[2] ?? "").startsWith("*") && !(fields[4] ?? "").startsWith("*"),
  };
  return { kind: "cron", cron };
}

const none: ReadonlySet<number> = new Set();

function inOrder(numbers: ReadonlySet<number>): readonly number[] {
  return [...numbers].toSorted((a, b) => a - b);
}

/** The numbers of a field, or what is wrong with it. */
function parseField(field: string, rule: FieldRule): ReadonlySet<number> | string {
  const numbers = new Set<number>();
  for (const part of field.split(",")) {
    const range = parseRange(part, rule);
    if (range === undefined) {
      return `has ${JSON.stringify(part)} as the ${rule.name}, which is from ${rule.least} to ${rule.most}`;
    }
    for (let number = range.from; number <= range.to; number += range.step) numbers.add(number);
  }
  return numbers;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

const partForm = /^(?:(?<all>\*)|(?<from>\w+)(?:-(?<to>\w+))?)(?:\/(?<step>\d{1,4}))?$/u;

function parseRange(part: string, rule: FieldRule): Range | undefined {
  const found = partForm.exec(part)?.groups;
  if (found === undefined) return undefined;
  const { all, step: stepText } = found;
  const step = stepText === undefined ? 1 : Number(stepText);
  if (step < 1) return undefined;
  if (all !== undefined) return { from: rule.least, to: rule.most, step };
  const from = parseNumber(found["from"], rule);
  const to = found["to"] === undefined ? from : parseNumber(found["to"], rule);
  // A step of one number means different things to different crons.
  if (from === undefined || to === undefined || from > to || (stepText !== undefined && found["to"] === undefined)) {
    return undefined;
  }
  return { from, to, step };
}

function parseNumber(text: string | undefined, { least, most, words }: FieldRule): number | undefined {
  if (text === undefined) return undefined;
  const word = words.indexOf(text.toUpperCase());
  if (word >= 0) return word + least;
  const number = /^\d{1,2}$/u.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}

/** Whether a day of the calendar is one of the expression's. Months count from 1. */
export function isDayOf(cron: Cron, { year, month, day }: CalendarDay): boolean {
  if (!cron.months.has(month)) return false;
  const isOfMonth = cron.daysOfMonth.has(day);
  const isOfWeek = cron.daysOfWeek.has(new Date(Date.UTC(year, month - 1, day)).getUTCDay());
  return cron.takesEitherDay ? isOfMonth || isOfWeek : isOfMonth && isOfWeek;
}

export interface CalendarDay {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
}
