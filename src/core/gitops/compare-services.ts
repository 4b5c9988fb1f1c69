import { resolveDestinationHost } from "../mesh/host-name.ts";
import { asObject, asText, type JsonObject } from "../site/json-value.ts";
import { routeEntries, weightOf } from "../site/rule-entries.ts";
import { type GitService, type GitServices, labelRule, type SkippedFile } from "./git-services.ts";
import type { LiveService } from "./live-services.ts";

/** What a sync from git would undo. */
export interface GitDiff {
  readonly services: readonly ServiceDiff[];
  /** VirtualServices in git that the cluster does not have. */
  readonly absent: readonly string[];
  readonly skipped: readonly SkippedFile[];
}

export interface ServiceDiff {
  readonly service: string;
  readonly file: string;
  readonly line: number;
  readonly movedBy: string | undefined;
  readonly movedAt: string | undefined;
  /** Rules whose shares differ. */
  readonly rules: readonly RuleDiff[];
  /** Routes of kirikae's own, which git does not have. */
  readonly ownRoutes: readonly string[];
  /** Rules that are only on one side: somebody has changed more than weights. */
  readonly onlyInGit: readonly string[];
  readonly onlyLive: readonly string[];
}

interface RuleDiff {
  readonly rule: string;
  readonly git: readonly EntryShare[];
  readonly live: readonly EntryShare[];
}

/** One destination of a rule, with its share of the rule's requests. */
export interface EntryShare {
  /** As it is written: a host, with its subset and its port where there are any. */
  readonly to: string;
  readonly percent: number;
}

/** Rule by rule, by shares: 1 to 1 and 50 to 50 are the same. */
export function compareServices(git: GitServices, live: ReadonlyMap<string, LiveService>): GitDiff {
  const services: ServiceDiff[] = [];
  const absent: string[] = [];
  for (const service of git.services) {
    const running = live.get(service.name);
    if (running === undefined) absent.push(service.name);
    else services.push(compareService(service, running));
  }
  return { services: services.filter(differs), absent, skipped: git.skipped };
}

/** Whether a sync would change what requests meet. */
export function wouldUndo({ services }: GitDiff): boolean {
  return services.some(({ rules, ownRoutes }) => rules.length > 0 || ownRoutes.length > 0);
}

function differs({ rules, ownRoutes, onlyInGit, onlyLive }: ServiceDiff): boolean {
  return [rules, ownRoutes, onlyInGit, onlyLive].some((list) => list.length > 0);
}

function compareService(git: GitService, live: LiveService): ServiceDiff {
  const namespace = git.name.split("/")[0] ?? "";
  const rules: RuleDiff[] = [];
  for (const { key, label, written } of git.rules) {
    const running = live.rules.get(key);
    if (running === undefined) continue;
    if (hasSameShares(sharesOf(written, namespace), sharesOf(running, namespace))) continue;
    rules.push({ rule: label, git: showShares(written), live: showShares(running) });
  }
  const inGit = new Set(git.rules.map(({ key }) => key));
  return {
    service: git.name,
    file: git.file,
    line: git.line,
    movedBy: live.movedBy,
    movedAt: live.movedAt,
    rules,
    ownRoutes: live.ownRoutes,
    onlyInGit: git.rules.filter(({ key }) => !live.rules.has(key)).map(({ label }) => label),
    onlyLive: [...live.rules].flatMap(([key, rule], index) => (inGit.has(key) ? [] : [labelRule(rule, index)])),
  };
}

/** By destination in full; a single entry takes everything whatever its weight, and those that take nothing are left out. */
export function sharesOf(rule: JsonObject, namespace: string): ReadonlyMap<string, number> {
  const entries = routeEntries(rule);
  const weights = new Map<string, number>();
  for (const entry of entries) {
    const weight = entries.length === 1 ? 1 : (weightOf(entry) ?? 0);
    const key = destinationKey(entry, namespace);
    if (weight > 0) weights.set(key, (weights.get(key) ?? 0) + weight);
  }
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  return new Map([...weights].map(([key, weight]) => [key, weight / total]));
}

/** Shares from 0 to 1, by destination; what rounding takes is no difference. */
export function hasSameShares(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): boolean {
  return one.size === other.size && [...one].every(([key, share]) => Math.abs((other.get(key) ?? 0) - share) < 1e-9);
}

/** A destination in full, so that short and long names of one host are the same. */
export function destinationKey(entry: JsonObject, namespace: string): string {
  const { host, subset, port } = asObject(entry["destination"]);
  const { number } = asObject(port);
  const name = resolveDestinationHost(asText(host) ?? "", namespace);
  return [name, asText(subset) ?? "", typeof number === "number" ? number : ""].join("|");
}

function showShares(rule: JsonObject): readonly EntryShare[] {
  const entries = routeEntries(rule);
  const weights = entries.map((entry) => (entries.length === 1 ? 1 : (weightOf(entry) ?? 0)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return entries.map((entry, at) => ({
    to: showDestination(entry),
    percent: total === 0 ? 0 : ((weights[at] ?? 0) * 100) / total,
  }));
}

function showDestination(entry: JsonObject): string {
  const { host, subset, port } = asObject(entry["destination"]);
  const { number } = asObject(port);
  const place = typeof number === "number" ? `${asText(host) ?? ""}:${number}` : (asText(host) ?? "");
  const version = asText(subset);
  return version === undefined ? place : `${place}/${version}`;
}
