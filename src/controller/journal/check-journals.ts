import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { JournalRecord } from "../../engine/journal-record.ts";
import type { StartRules } from "../start-release.ts";
import type { OwnedRecords } from "./journal-chunk.ts";

/** The Release that a journal belongs to, as the API server has it. */
export interface KnownRelease {
  readonly namespace: string;
  readonly name: string;
  /** The id of what it has begun last, as its status says; only the controller writes that. */
  readonly release: string | undefined;
}

/** What is wrong with a journal, by the uid of its Release. */
type JournalFaults = ReadonlyMap<string, KirikaeError>;

/**
 * Whoever may write ConfigMaps in a namespace can write journals there, with checksums that fit. What they say must not
 * be carried out with the controller's rights unless a Release of that namespace could have asked for it.
 * @throws KirikaeError KIR4075
 */
export function checkJournal(
  { records }: Pick<OwnedRecords, "records">,
  { namespace, name }: Pick<KnownRelease, "namespace" | "name">,
  allows: Pick<StartRules, "secrets" | "otherNamespaces">,
): void {
  const begun = new Set<string>();
  for (const { seq, record } of records) {
    const refuse = (what: string): KirikaeError => refuseJournal(`${namespace}/${name}`, `record ${seq} ${what}`);
    if (record.type === "release") {
      if (record.plan.release !== `${namespace}/${name}`) throw refuse(`begins ${record.plan.release}`);
      begun.add(record.id);
    }
    if (record.type === "releaseEvent" && !begun.has(record.id)) throw refuse(`tells of ${record.id}`);
    if (!allows.secrets && namesSecret(record)) throw refuse("names a secret of the controller");
    const foreign = allows.otherNamespaces ? undefined : findForeignName(record, namespace);
    if (foreign !== undefined) throw refuse(`moves ${foreign}`);
  }
}

/** Further than any journals are apart whose Releases between them were deleted. */
const widestGap = 1_000_000_000;

/**
 * Journals that cannot both be true, because ids and numbers are given once in a cluster. Of two with one id it is the
 * one whose Release says so in its status.
 */
export function findContradictions(
  journals: readonly OwnedRecords[],
  releaseOf: (uid: string) => KnownRelease | undefined,
): JournalFaults {
  const faults = new Map<string, KirikaeError>();
  const refuse = ({ uid }: OwnedRecords, what: string): void => {
    const { namespace = "", name = uid } = releaseOf(uid) ?? {};
    faults.set(uid, refuseJournal(`${namespace}/${name}`, what));
  };
  for (const [id, claims] of Map.groupBy(journals.flatMap(beginnings), (each) => each.id)) {
    const claimants = new Set(claims.map(({ journal }) => journal));
    if (claimants.size < 2) continue;
    const confirmed = [...claimants].filter(({ uid }) => releaseOf(uid)?.release === id);
    for (const journal of claimants) {
      if (confirmed.length !== 1 || confirmed[0] !== journal)
        refuse(journal, `it begins ${id}, as another journal does`);
    }
  }
  let known = 0;
  for (const journal of journals.toSorted((one, other) => lastSeq(one) - lastSeq(other))) {
    if (faults.has(journal.uid)) continue;
    if (lastSeq(journal) > known + widestGap) refuse(journal, `it has a record ${lastSeq(journal)}`);
    else known = Math.max(known, lastSeq(journal));
  }
  return faults;
}

interface Beginning {
  readonly id: string;
  readonly journal: OwnedRecords;
}

function beginnings(journal: OwnedRecords): readonly Beginning[] {
  return journal.records.filter(({ record }) => isBeginning(record)).map(({ record: { id } }) => ({ id, journal }));
}

function isBeginning({ type }: JournalRecord): boolean {
  return type === "release" || type === "intent";
}

function lastSeq({ records }: OwnedRecords): number {
  return records.reduce((last, { seq }) => Math.max(last, seq), 0);
}

/** Fields that name what is written: rules begin with the name of their VirtualService. */
const namingFields: ReadonlySet<string> = new Set(["split", "splits", "virtualService", "destinationRule"]);

/** Of everything that a record names to be written, the first that is not in the namespace. */
function findForeignName(value: unknown, namespace: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [field, inner] of Object.entries(value)) {
    const named = namesIn(field, inner).find((each) => each.includes("/") && !each.startsWith(`${namespace}/`));
    const found = named ?? findForeignRoute(field, inner, namespace) ?? findForeignName(inner, namespace);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Additions say where requests go by the rules that they lie over. */
function namesIn(field: string, inner: unknown): readonly string[] {
  if (field === "to" && typeof inner === "object" && inner !== null) return Object.keys(inner);
  if (!namingFields.has(field)) return [];
  return (Array.isArray(inner) ? inner : [inner]).filter((each) => typeof each === "string");
}

/** Plans hold tokens, passwords and keys only as where they are read from. */
function namesSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([field, inner]) => (secretFields.has(field) && typeof inner === "object" && inner !== null) || namesSecret(inner),
  );
}

const secretFields: ReadonlySet<string> = new Set(["token", "password", "secret"]);

/** What was asked for names namespaces by themselves. */
function findForeignRoute(field: string, inner: unknown, namespace: string): string | undefined {
  if ((field !== "routes" && field !== "subsets") || !Array.isArray(inner)) return undefined;
  const named = inner.map((each: unknown): unknown => Object(each).namespace);
  const foreign = named.find((each) => typeof each === "string" && each !== namespace);
  return typeof foreign === "string" ? `routes of ${foreign}` : undefined;
}

function refuseJournal(release: string, what: string): KirikaeError {
  return new KirikaeError("KIR4075", `The journal of ${release} cannot be its own: ${what}.`, {
    exitStatus: 3,
    hint: "Look who may write ConfigMaps in that namespace; the Release can be deleted, which leaves traffic where it is.",
  });
}
