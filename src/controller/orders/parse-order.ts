import { harmlessLine } from "../../core/diagnostics/harmless-line.ts";
import { parseJson } from "../../core/manifest/parse-json.ts";
import type { ReleaseCommand, SetShares } from "../../core/release/state/release-state.ts";
import { isJsonObject } from "../../core/site/json-value.ts";

/** What somebody has asked a Release for, by its annotation. */
export type ParsedOrder =
  | {
      readonly kind: "order";
      /** `start` begins a Release anew whose spec was changed, or that has ended otherwise than done. */
      readonly command: ReleaseCommand | { readonly kind: "start" };
      /** Who they say they are; undefined where they say nothing. */
      readonly actor: string | undefined;
      readonly reason: string | undefined;
    }
  /** `why` follows "the order ". */
  | { readonly kind: "wrong"; readonly why: string };

const plainOrders: Readonly<Record<string, ReleaseCommand | { readonly kind: "start" }>> = {
  start: { kind: "start" },
  promote: { kind: "promote", full: false },
  "promote-full": { kind: "promote", full: true },
  "promote-despite-freeze": { kind: "promote", full: false, despiteFreeze: true },
  pause: { kind: "pause" },
  resume: { kind: "resume" },
  approve: { kind: "approve" },
  reject: { kind: "reject" },
  retry: { kind: "retry" },
  abort: { kind: "abort" },
  rollback: { kind: "rollback" },
  "rollback-now": { kind: "rollback", now: true },
  "rollback-despite-changes": { kind: "rollback", despiteChanges: true },
};

/** The words that an order can be, beside `set:green=25`. */
const orderWords: readonly string[] = Object.keys(plainOrders);

/** Who somebody says they are, as it is told everywhere. */
export function readActor(text: string): string {
  return harmlessLine(text, 256);
}

/** Why somebody says they do it. */
export function readReason(text: string): string {
  return harmlessLine(text, 1_024);
}

/** The value of `kirikae.dev/order`: `promote`, `set:green=25`, or JSON with `order`, `actor` and `reason`. */
export function parseOrder(text: string): ParsedOrder {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{")) return parseWords(trimmed, {});
  const fields = parseJson(trimmed);
  if (!isJsonObject(fields)) return { kind: "wrong", why: "is not JSON, although it begins as JSON does" };
  const { order, actor, reason } = fields;
  if (typeof order !== "string") return { kind: "wrong", why: 'has no member "order" with a text in it' };
  return parseWords(order, {
    ...(typeof actor === "string" && { actor: readActor(actor) }),
    ...(typeof reason === "string" && { reason: readReason(reason) }),
  });
}

/** The annotation that `parseOrder` reads back as the same order. */
export function emitOrder(order: {
  readonly command: ReleaseCommand;
  readonly actor: string;
  readonly reason: string | undefined;
  /** Tells it from another order that says the same. */
  readonly id?: string;
}): string {
  const { command, actor, reason, id } = order;
  const words = { order: wordsOf(command), actor };
  return JSON.stringify({ ...words, ...(reason !== undefined && { reason }), ...(id !== undefined && { id }) });
}

function wordsOf(command: ReleaseCommand): string {
  if (command.kind === "set") {
    const { shares } = command;
    const text =
      typeof shares === "number"
        ? String(shares)
        : Object.entries(shares)
            .map(([version, percent]) => `${version}=${percent}`)
            .join(",");
    return `set:${text}`;
  }
  if (command.kind === "promote") {
    return command.despiteFreeze === true ? "promote-despite-freeze" : command.full ? "promote-full" : "promote";
  }
  if (command.kind !== "rollback") return command.kind;
  if (command.now === true) return "rollback-now";
  return command.despiteChanges === true ? "rollback-despite-changes" : "rollback";
}

function parseWords(words: string, person: { readonly actor?: string; readonly reason?: string }): ParsedOrder {
  const by = { actor: person.actor, reason: person.reason };
  const plain = Object.hasOwn(plainOrders, words) ? plainOrders[words] : undefined;
  if (plain !== undefined) return { kind: "order", command: plain, ...by };
  if (!words.startsWith("set:")) {
    return { kind: "wrong", why: `is none of ${orderWords.join(", ")} and set:VERSION=PERCENT` };
  }
  const shares = parseShares(words.slice("set:".length));
  return shares === undefined
    ? { kind: "wrong", why: "gives no percentages from 0 to 100, as set:green=25 does" }
    : { kind: "order", command: { kind: "set", shares }, ...by };
}

/** `25`, of the new version, or `green=25,blue=75`. */
function parseShares(text: string): SetShares | undefined {
  if (!text.includes("=")) return parsePercent(text);
  const pairs = text.split(",").map((part) => part.trim().split("="));
  const shares: Record<string, number> = {};
  for (const [version = "", percentText = "", ...more] of pairs) {
    const percent = parsePercent(percentText);
    if (version === "" || percent === undefined || more.length > 0 || Object.hasOwn(shares, version)) return undefined;
    shares[version] = percent;
  }
  return shares;
}

function parsePercent(text: string): number | undefined {
  const percent = /^\d{1,3}$/u.test(text) ? Number(text) : Number.NaN;
  return percent <= 100 ? percent : undefined;
}
