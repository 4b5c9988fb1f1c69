import { KirikaeError } from "../../core/diagnostics/error.ts";
import { isOver } from "../../core/release/state/release-phase.ts";
import { foldJournal } from "../../engine/fold-journal.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { StartRules } from "../start-release.ts";
import { checkJournal, findContradictions, type KnownRelease } from "./check-journals.ts";
import { isChunkOf, journalLabel, type OwnedRecords, parseChunks, writerAnnotation } from "./journal-chunk.ts";

/** All journals of a cluster, as one writer found them and made them its own. */
export interface FoundJournals {
  readonly journals: readonly OwnedRecords[];
  /** Of Releases, by uid, whose journal cannot be read: nothing is done for them. */
  readonly damaged: ReadonlyMap<string, KirikaeError>;
}

export interface ReadOptions {
  readonly api: Pick<KubeApi, "list" | "mergePatch">;
  /** Undefined reads all of them. */
  readonly namespace: string | undefined;
  /** The Release of that uid; a journal of one that is not in the cluster is on its way out. */
  readonly releaseOf: (uid: string) => KnownRelease | undefined;
  /** What Releases may ask for, and their journals therefore may say. */
  readonly allows: Pick<StartRules, "secrets" | "otherNamespaces">;
  /** What this writer calls itself; nobody else ever does. */
  readonly writer: string;
}

/** Whoever wrote before has lost its lease by now, and stops at its next write. */
const mostTries = 10;

/**
 * Reads the journals of all Releases, and writes this writer's name onto those of releases that have not ended. From
 * then on the writer before can append nothing to them, so it can begin nothing either, wherever it has been meanwhile.
 * Where it writes while this goes on, everything is read again.
 * @throws KubeError when the API server cannot be asked; KIR4070 when another writer does not give way.
 */
export async function readJournals(options: ReadOptions): Promise<FoundJournals> {
  const { api, namespace } = options;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const { items } = await api.list(kubeKinds.configMap, { namespace, labelSelector: `${journalLabel}=true` });
    const found = parseAll(items, options);
    const journals = await claimAll(found.journals, options);
    if (journals !== undefined) return { journals, damaged: found.damaged };
  }
  throw new KirikaeError("KIR4070", "Another controller goes on writing the journals of releases.", {
    exitStatus: 3,
    hint: "Let all controllers of a cluster use one Lease: the same --lease-namespace and --lease-name.",
  });
}

function parseAll(objects: readonly KubeObject[], { releaseOf, allows }: ReadOptions): FoundJournals {
  const byOwner = Map.groupBy(objects, ({ metadata }) => metadata.ownerReferences?.[0]?.uid ?? "");
  const journals: OwnedRecords[] = [];
  const damaged = new Map<string, KirikaeError>();
  for (const [uid, claimed] of byOwner) {
    const release = releaseOf(uid);
    const chunks = release === undefined ? [] : claimed.filter((object) => isChunkOf(object, { ...release, uid }));
    if (release === undefined || chunks.length === 0) continue;
    try {
      const journal = parseChunks(uid, chunks);
      // Records that are each as they were written can still not follow each other.
      foldJournal(journal.records);
      checkJournal(journal, release, allows);
      journals.push(journal);
    } catch (error) {
      if (!(error instanceof KirikaeError)) throw error;
      damaged.set(uid, error);
    }
  }
  const contradictions = findContradictions(journals, releaseOf);
  return {
    journals: journals.filter(({ uid }) => !contradictions.has(uid)),
    damaged: new Map([...damaged, ...contradictions]),
  };
}

/** Undefined where somebody wrote in between. */
async function claimAll(
  journals: readonly OwnedRecords[],
  options: ReadOptions,
): Promise<readonly OwnedRecords[] | undefined> {
  const claimed: OwnedRecords[] = [];
  for (const journal of journals) {
    const mine = hasEnded(journal) ? journal : await claim(journal, options);
    if (mine === undefined) return undefined;
    claimed.push(mine);
  }
  return claimed;
}

function hasEnded({ records }: OwnedRecords): boolean {
  const { releases, unfinished } = foldJournal(records);
  return unfinished.size === 0 && releases.all.every(({ state }) => isOver(state.phase));
}

async function claim(journal: OwnedRecords, { api, writer }: ReadOptions): Promise<OwnedRecords | undefined> {
  const { tail, namespace } = journal;
  const metadata = { resourceVersion: tail.resourceVersion, annotations: { [writerAnnotation]: writer } };
  try {
    const written = await api.mergePatch(
      kubeKinds.configMap,
      { namespace, name: tail.name },
      { fieldManager: "kirikae-controller", patch: { metadata } },
    );
    const resourceVersion = written.metadata.resourceVersion ?? "";
    return { ...journal, tail: { ...tail, resourceVersion, writer } };
  } catch (error) {
    if (error instanceof KubeError && (error.status === 409 || error.status === 404)) return undefined;
    throw error;
  }
}
