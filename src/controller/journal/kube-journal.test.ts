import { array, assert, asyncProperty, boolean, constantFrom, record as recordOf } from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigMaps } from "../../../test/config-maps.fixture.ts";
import { bareSpec } from "../../../test/release-spec.fixture.ts";
import type { ReleasePlan } from "../../core/release/plan/plan-release.ts";
import { emitRecord, type JournalRecord } from "../../engine/journal-record.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { checksumOf, emitValue, keyOf, writerAnnotation } from "./journal-chunk.ts";
import { KubeJournal, type KubeJournalOptions } from "./kube-journal.ts";
import { readJournals } from "./read-journals.ts";
import type { RecordWrite, WriteAnswer } from "./write-record.ts";

const at = "2026-01-01T00:00:00.000Z";

function planOf(release: string): ReleasePlan {
  const [namespace = "", name = ""] = release.split("/");
  return {
    release,
    to: "green",
    steps: [{ kind: "hold", durationMs: undefined }],
    spec: { ...bareSpec, routes: [{ namespace, virtualService: name, route: undefined }] },
  };
}

function begin(release: string, id: string): JournalRecord {
  return { type: "release", id, at, plan: planOf(release), actor: "ann", reason: null };
}

function started(id: string): JournalRecord {
  return { type: "releaseEvent", id, at, event: { kind: "start", atMs: 1 } };
}

/** Writes at once, as the thread does when all goes well, and does what else it is told to. */
class DirectWriter {
  readonly #api: ConfigMaps;
  readonly fates: ("lost" | "never")[] = [];
  /** All ConfigMaps were deleted by somebody, or this one. */
  gone = false;
  goneOf: string | undefined;

  constructor(api: ConfigMaps) {
    this.#api = api;
  }

  write(write: RecordWrite): WriteAnswer {
    if (this.gone || this.goneOf === write.chunk.name) return { kind: "refused", message: "it is gone", isFinal: true };
    const fate = this.fates.shift();
    if (fate === "never") return { kind: "unknown", message: "no answer" };
    const answer = this.#send(write);
    return fate === "lost" ? { kind: "unknown", message: "no answer" } : answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #send({ chunk, owner, resourceVersion, key, value, writer, lastWriter }: RecordWrite): WriteAnswer {
    const annotations = { [writerAnnotation]: writer, "kirikae.dev/chunk": String(chunk.index) };
    const found = this.#api.all().find(({ metadata }) => metadata.name === chunk.name);
    const shown = found?.metadata.annotations?.[writerAnnotation];
    if (shown !== undefined && shown !== lastWriter && shown !== writer) return { kind: "foreign", message: shown };
    try {
      const written =
        resourceVersion === undefined && found === undefined
          ? this.#api.createNow({
              apiVersion: "v1",
              kind: "ConfigMap",
              metadata: {
                name: chunk.name,
                namespace: owner.namespace,
                annotations,
                ownerReferences: [{ ...owner, name: owner.name }],
              },
              data: value === null ? {} : { [key]: value },
            })
          : this.#api.patchNow(chunk.name, {
              metadata: { annotations, ...(value !== null && { resourceVersion }) },
              data: { [key]: value },
            });
      return { kind: "written", resourceVersion: written.metadata.resourceVersion ?? "" };
    } catch (error) {
      if (error instanceof KubeError) return { kind: "refused", message: error.message };
      throw error;
    }
  }
}

/** Every Release is there, under the names that these tests give. */
const everything = {
  releaseOf: (uid: string) => ({ namespace: "shop", name: uid.slice("uid-".length), release: undefined }),
  allows: { secrets: false, otherNamespaces: false },
};

interface Opened {
  readonly journal: KubeJournal;
  readonly records: DirectWriter;
  readonly foreign: string[];
}

async function open(api: ConfigMaps, options: Partial<KubeJournalOptions> = {}): Promise<Opened> {
  const writer = options.writer ?? "me";
  const found = await readJournals({ api, namespace: undefined, writer, ...everything });
  const records = new DirectWriter(api);
  const foreign: string[] = [];
  const journal = new KubeJournal({
    found,
    writer,
    records,
    findRelease(release) {
      const [namespace = "", name = ""] = release.split("/");
      return {
        apiVersion: "kirikae.dev/v1alpha1",
        kind: "Release",
        namespace,
        name,
        uid: `uid-${name}`,
        generation: 3,
        isLeaving: false,
      };
    },
    onForeign(message) {
      foreign.push(message);
      return "stop";
    },
    pauseMs: 0,
    ...options,
  });
  return { journal, records, foreign };
}

describe("the journal of a cluster", () => {
  test("gives back to the next controller what was written, of all Releases in one order", async () => {
    const api = new ConfigMaps();
    const { journal } = await open(api);
    const records = [begin("shop/a", "r1"), begin("shop/b", "r2"), started("r1"), started("r2")];
    expect(records.map((record) => journal.append(record))).toEqual([1, 2, 3, 4]);
    expect(api.all().map(({ metadata }) => metadata.name)).toEqual(["a-journal-uid-a-0", "b-journal-uid-b-0"]);
    const next = await open(api, { writer: "next" });
    expect(next.journal.read()).toEqual(records.map((record, index) => ({ seq: index + 1, record })));
    expect(next.journal.releaseIds("uid-b")).toEqual(["r2"]);
  });

  test("begins another ConfigMap where one is full, and misses one that is gone", async () => {
    const api = new ConfigMaps();
    const { journal } = await open(api, { chunkBytes: 1_500 });
    journal.append(begin("shop/a", "r1"));
    for (let count = 0; count < 8; count += 1)
      journal.append({
        type: "manifest",
        id: `m${count}`,
        at,
        virtualService: "shop/a",
        actor: "a",
        reason: "x".repeat(400),
        versions: [],
        changes: [],
      });
    expect(api.all().length).toBeGreaterThan(2);
    expect((await open(api)).journal.read()).toHaveLength(9);
    const found = await readJournals({
      api: {
        list: async () => ({
          resourceVersion: "9",
          items: api.all().filter(({ metadata }) => !metadata.name.endsWith("-1")),
        }),
        mergePatch: (...args) => api.mergePatch(...args),
      },
      namespace: undefined,
      writer: "next",
      ...everything,
    });
    expect(found.damaged.get("uid-a")?.message).toContain("is missing with its ConfigMap");
  });

  test("keeps a damaged Release from everything, and no other", async () => {
    const api = new ConfigMaps();
    const { journal } = await open(api);
    for (const record of [begin("shop/a", "r1"), begin("shop/b", "r2"), started("r1")]) journal.append(record);
    api.tamper("a-journal-uid-a-0", (object) => ({
      ...object,
      data: Object.fromEntries(
        Object.entries(object["data"] as object).map(([key, value]) => [key, `${value}`.replace("green", "grEen")]),
      ),
    }));
    const next = await open(api);
    expect(next.journal.damageOf("uid-a")?.message).toContain("is not as it was written");
    expect(next.journal.read().map(({ seq }) => seq)).toEqual([2]);
  });

  test.each(["lost", "never"] as const)(
    "a record that failed is not there later, although its answer was %s",
    async (fate) => {
      const api = new ConfigMaps();
      const { journal, records } = await open(api);
      journal.append(begin("shop/a", "r1"));
      records.fates.push(fate);
      expect(() => journal.append(started("r1"))).toThrow(expect.objectContaining({ code: "KIR2023" }));
      journal.append(begin("shop/b", "r2"));
      journal.append(started("r1"));
      const next = await open(api);
      expect(next.journal.read().map(({ seq, record }) => `${seq} ${record.type} ${record.id}`)).toEqual([
        "1 release r1",
        "2 release r2",
        "3 releaseEvent r1",
      ]);
    },
  );

  test("a first record that failed leaves room for itself", async () => {
    const api = new ConfigMaps();
    const { journal, records } = await open(api);
    records.fates.push("lost");
    expect(() => journal.append(begin("shop/a", "r1"))).toThrow("no answer");
    journal.append(begin("shop/a", "r1"));
    expect((await open(api)).journal.read()).toHaveLength(1);
  });

  test("fails at once for a while after an API server that did not answer", async () => {
    const api = new ConfigMaps();
    const { journal, records } = await open(api, { pauseMs: 60_000 });
    journal.append(begin("shop/a", "r1"));
    records.fates.push("never");
    expect(() => journal.append(started("r1"))).toThrow("no answer");
    expect(() => journal.append(started("r1"))).toThrow("did not answer a moment ago");
  });

  test("stops for good where another controller has taken over", async () => {
    const api = new ConfigMaps();
    const { journal, foreign } = await open(api);
    journal.append(begin("shop/a", "r1"));
    const next = await open(api, { writer: "next" });
    expect(() => journal.append(started("r1"))).toThrow("another controller has taken over");
    expect(() => journal.append(begin("shop/b", "r2"))).toThrow("another controller has taken over");
    expect(foreign).toHaveLength(1);
    next.journal.append(started("r1"));
    expect((await open(api)).journal.read()).toHaveLength(2);
  });

  test("leaves a Release alone that somebody else writes again and again, and goes on with the others", async () => {
    const api = new ConfigMaps();
    const { journal } = await open(api, { onForeign: () => "hold" });
    journal.append(begin("shop/a", "r1"));
    journal.append(begin("shop/b", "r2"));
    api.tamper("a-journal-uid-a-0", (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [writerAnnotation]: "mallory" } },
    }));
    expect(() => journal.append(started("r1"))).toThrow(expect.objectContaining({ code: "KIR2023" }));
    expect(journal.append(started("r2"))).toBe(3);
    expect(() => journal.append(started("r1"))).toThrow("mallory");
  });

  test("takes no ConfigMap for a Release's that is elsewhere or called otherwise", async () => {
    const api = new ConfigMaps();
    const { journal } = await open(api);
    journal.append(begin("shop/a", "r1"));
    const [own] = api.all();
    if (own === undefined) throw new Error("there is no ConfigMap");
    const copy = { ...own, metadata: { ...own.metadata, name: "copy" } };
    const abroad = { ...own, metadata: { ...own.metadata, namespace: "evil" } };
    const found = await readJournals({
      api: {
        list: async () => ({ resourceVersion: "9", items: [copy, abroad, own] }),
        mergePatch: (...args) => api.mergePatch(...args),
      },
      namespace: undefined,
      writer: "next",
      ...everything,
    });
    expect(found.damaged.size).toBe(0);
    expect(found.journals.map(({ records }) => records.length)).toEqual([1]);
  });

  test("keeps what is forged from being carried out, and from nothing else", async () => {
    const api = new ConfigMaps();
    const { journal } = await open(api);
    journal.append(begin("shop/a", "r1"));
    journal.append(begin("shop/b", "r2"));
    // The checksum is right, as everybody can make it.
    const body = emitRecord({ ...begin("pay/c", "r1") });
    api.tamper("a-journal-uid-a-0", (object) => ({
      ...object,
      data: { [keyOf(1)]: emitValue(checksumOf("", body), body) },
    }));
    const next = await open(api, { writer: "next" });
    expect(next.journal.damageOf("uid-a")).toMatchObject({ code: "KIR4075" });
    expect(next.journal.read().map(({ record }) => record.id)).toEqual(["r2"]);
  });

  test("lets a Release go whose ConfigMap has gone before it, and no other go on without", async () => {
    const leaving = new Set<string>();
    const { journal, records } = await open(new ConfigMaps(), {
      findRelease: (release) => {
        const [namespace = "", name = ""] = release.split("/");
        const type = { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", generation: 1 };
        return { ...type, namespace, name, uid: `uid-${name}`, isLeaving: leaving.has(name) };
      },
    });
    journal.append(begin("shop/a", "r1"));
    records.gone = true;
    expect(() => journal.append(started("r1"))).toThrow("is gone");
    leaving.add("a");
    expect(journal.append(started("r1"))).toBe(2);
  });

  test("a record in doubt whose ConfigMap is gone keeps no other Release from going on", async () => {
    const { journal, records } = await open(new ConfigMaps());
    journal.append(begin("shop/a", "r1"));
    journal.append(begin("shop/b", "r2"));
    records.fates.push("never");
    expect(() => journal.append(started("r1"))).toThrow("no answer");
    records.goneOf = "a-journal-uid-a-0";
    expect(journal.append(started("r2"))).toBe(3);
    expect(() => journal.append(started("r1"))).toThrow("is gone");
  });

  test("knows from which generation a Release was started", async () => {
    const { journal } = await open(new ConfigMaps());
    journal.append(begin("shop/a", "r1"));
    expect(journal.generationOf("r1")).toBe(3);
  });

  test("keeps nothing of a Release that is no longer there", async () => {
    const api = new ConfigMaps();
    const { journal } = await open(api);
    journal.append(begin("shop/a", "r1"));
    journal.forget("uid-a");
    journal.append(started("r1"));
    expect((await open(api)).journal.read()).toHaveLength(1);
  });
});

test("whatever is lost and whoever dies, what was acknowledged is there once and in its order", async () => {
  const step = recordOf({
    release: constantFrom("shop/a", "shop/b"),
    fates: array(constantFrom("lost" as const, "never" as const), { maxLength: 2 }),
    dies: boolean(),
  });
  await assert(
    asyncProperty(array(step, { maxLength: 12 }), async (steps) => {
      const api = new ConfigMaps();
      let { journal, records } = await open(api, { chunkBytes: 2_000, writer: "w0" });
      const kept = ["shop/a", "shop/b"].map((release, index) => {
        journal.append(begin(release, `r${index + 1}`));
        return `r${index + 1}`;
      });
      let doubted: string[] = [];
      for (const [index, { release, fates, dies }] of steps.entries()) {
        const id = `${release} ${index}`;
        records.fates.push(...fates);
        const isKept = tryAppend(journal, noted(release, id));
        records.fates.length = 0;
        if (isKept) kept.push(id);
        doubted = isKept ? [] : [...doubted, id];
        if (!dies) continue;
        ({ journal, records } = await open(api, { chunkBytes: 2_000, writer: `w${index + 1}` }));
        const ids = journal.read().map(({ record }) => record.id);
        // Of what failed since, one record may be there all the same: nothing has followed from it, as after a crash.
        const landed = doubted.filter((each) => ids.includes(each));
        expect(landed.length).toBeLessThanOrEqual(1);
        kept.push(...landed);
        doubted = [];
        expect(ids).toEqual(kept);
      }
      const last = await open(api, { writer: "last" });
      const ids = last.journal.read().map(({ record }) => record.id);
      expect(ids.slice(0, kept.length)).toEqual(kept);
      expect(ids.length - kept.length).toBeLessThanOrEqual(1);
      expect(last.journal.damageOf("uid-a") ?? last.journal.damageOf("uid-b")).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

function noted(virtualService: string, id: string): JournalRecord {
  const reason = "x".repeat(300);
  return { type: "manifest", id, at, virtualService, actor: "a", reason, versions: [], changes: [] };
}

function tryAppend(journal: KubeJournal, record: JournalRecord): boolean {
  try {
    journal.append(record);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "KIR2023" });
    return false;
  }
}
