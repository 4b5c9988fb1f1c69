import type { Split, SplitWeights } from "../routes/route-table.ts";
import type { RuleNote } from "./added-entries.ts";
import { type JsonObject, withoutFields } from "./json-value.ts";
import { refuseLive, refuseWrite, type SiteRefusal } from "./refuse-site.ts";
import { entryKey, matchEntries, type RuleEntry, weightOf, writeDestination } from "./rule-entries.ts";
import { findTwofoldHeader } from "./twofold-header.ts";

export interface RuleWeights {
  readonly split: Split;
  /** An arm that is not named gets 0. */
  readonly weights: SplitWeights;
  readonly namespace: string;
  readonly note: RuleNote;
}

export interface WeighedRule {
  readonly kind: "weighed";
  /** The rule itself where nothing changes. */
  readonly rule: JsonObject;
  readonly note: RuleNote;
}

/**
 * A rule of `spec.http` with these weights: entries are added for arms that had none, and those that kirikae has added go
 * when they are not needed any more. Nothing but `route` changes.
 */
export function writeWeights(rule: JsonObject, wanted: RuleWeights): WeighedRule | SiteRefusal {
  const { split, weights, namespace, note } = wanted;
  const complaint = complainWeights(split, weights);
  if (complaint !== undefined) return complaint;
  const entries = matchEntries(rule, split, namespace);
  if (entries === undefined || entries.length === 0) return refuseUnclear(split);
  if (showsAlready(entries, weights)) return { kind: "weighed", rule, note };
  const added = addEntries(entries, wanted);
  const [only] = entries;
  const twofold = added.length > 0 && entries.length === 1 ? findTwofoldHeader(rule, only?.entry) : undefined;
  if (twofold !== undefined) return refuseTwofold(split, twofold);
  const kept = keepNeeded([...entries, ...added], { weights, note });
  const noted: RuleNote = {
    added: [...note.added, ...added.map(({ entry }) => entryKey(entry))].filter((key) => hasKey(kept, key)),
    had: { ...notedWeights(entries, kept, weights), ...note.had },
  };
  return weigh(rule, kept, { weights, note: noted });
}

function refuseTwofold({ id }: Split, header: string): SiteRefusal {
  return refuseWrite("KIR4021", {
    message: `The rule ${id} and its only destination both change the header ${header}, and with a second destination Istio would do so in another order.`,
    hint: "Change the header in one of the two places, so that requests keep carrying the same.",
  });
}

function complainWeights({ id, arms }: Split, weights: SplitWeights): SiteRefusal | undefined {
  const known = new Set(arms.map(({ destination }) => destination));
  const stranger = Object.entries(weights).find(([arm, weight]) => weight > 0 && !known.has(arm));
  if (stranger !== undefined) {
    return refuseWrite("KIR4021", {
      message: `The rule ${id} has no version ${stranger[0]}, so no weight can be written for it.`,
      hint: "Plan the move anew, from what is live.",
    });
  }
  const given = Object.values(weights);
  if (given.some((weight) => !Number.isInteger(weight) || weight < 0 || weight > 2_147_483_647)) {
    return refuseWrite("KIR4021", {
      message: `The weights of the rule ${id} are no whole numbers that a VirtualService can hold.`,
      hint: "Use shares that whole numbers can express.",
    });
  }
  if (given.some((weight) => weight > 0)) return undefined;
  return refuseWrite("KIR4021", {
    message: `The weights of the rule ${id} add up to 0, which Istio does not take.`,
    hint: "Give at least one version a share.",
  });
}

function refuseUnclear({ id }: Split): SiteRefusal {
  return refuseLive("KIR4022", {
    message: `Which entry of the rule ${id} is which version cannot be told in the live VirtualService.`,
    hint: "Write a port into each destination, and name no destination twice; or plan anew, if somebody has changed it.",
  });
}

/** A single entry takes everything, whatever its weight. */
function showsAlready(entries: readonly RuleEntry[], weights: SplitWeights): boolean {
  const shown = new Map<string, number>();
  for (const { arm, entry } of entries) {
    const weight = entries.length === 1 ? 1 : (weightOf(entry) ?? 0);
    shown.set(arm, (shown.get(arm) ?? 0) + weight);
  }
  const needed = Object.entries(weights).filter(([, weight]) => weight > 0);
  if (entries.length === 1) return needed.length === 1 && needed[0]?.[0] === entries[0]?.arm;
  return needed.every(([arm]) => shown.has(arm)) && [...shown].every(([arm, weight]) => (weights[arm] ?? 0) === weight);
}

function addEntries(entries: readonly RuleEntry[], { split, weights, namespace }: RuleWeights): readonly RuleEntry[] {
  const known = new Set(entries.map(({ arm }) => arm));
  const [only] = entries;
  // What an only destination does to headers is the rule's own, and holds for each version.
  const headers = entries.length === 1 ? only?.entry["headers"] : undefined;
  return split.arms
    .filter(({ destination }) => !known.has(destination) && (weights[destination] ?? 0) > 0)
    .map(({ destination: arm }) => ({
      arm,
      entry: {
        destination: writeDestination(arm, entries, namespace),
        weight: weights[arm] ?? 0,
        ...(headers === undefined ? {} : { headers }),
      },
    }));
}

function keepNeeded(
  entries: readonly RuleEntry[],
  { weights, note }: Pick<RuleWeights, "weights" | "note">,
): readonly RuleEntry[] {
  return entries.filter(({ arm, entry }) => (weights[arm] ?? 0) > 0 || !note.added.includes(entryKey(entry)));
}

function hasKey(entries: readonly RuleEntry[], key: string): boolean {
  return entries.some(({ entry }) => entryKey(entry) === key);
}

/** The weight of an only entry did not count; where several are, none is 0. */
function notedWeights(
  before: readonly RuleEntry[],
  after: readonly RuleEntry[],
  weights: SplitWeights,
): RuleNote["had"] {
  if (after.length === 1) return {};
  const noted = before.filter(
    ({ entry, arm }) => before.length === 1 || (weightOf(entry) === undefined && (weights[arm] ?? 0) > 0),
  );
  return Object.fromEntries(noted.map(({ entry }) => [entryKey(entry), weightOf(entry) ?? null]));
}

function weigh(
  rule: JsonObject,
  entries: readonly RuleEntry[],
  { weights, note }: Pick<RuleWeights, "weights" | "note">,
): WeighedRule {
  const isWhole = note.added.length === 0;
  const open = new Map(Object.entries(note.had));
  const done = new Set<string>();
  const route = entries.map(({ entry, arm }) => {
    // Of two entries that lead to the same place the first takes all.
    const weight = done.has(arm) ? 0 : (weights[arm] ?? 0);
    done.add(arm);
    const key = entryKey(entry);
    const had = isWhole ? open.get(key) : undefined;
    if (had !== undefined && (entries.length === 1 || (had === null && weight === 0))) {
      open.delete(key);
      return withWeight(entry, had);
    }
    const isLeftOut = weight === 0 && weightOf(entry) === undefined && !open.has(key);
    return isLeftOut ? entry : withWeight(entry, weight);
  });
  const left = isWhole && entries.length === 1 ? {} : Object.fromEntries(open);
  return { kind: "weighed", rule: { ...rule, route }, note: { added: note.added, had: left } };
}

/** Null takes the field away. */
function withWeight(entry: JsonObject, weight: number | null): JsonObject {
  if (weight === null) return withoutFields(entry, ["weight"]);
  return entry["weight"] === weight ? entry : { ...entry, weight };
}
