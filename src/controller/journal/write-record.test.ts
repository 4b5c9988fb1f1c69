import { expect, test } from "vitest";
import { ConfigMaps, type Fate } from "../../../test/config-maps.fixture.ts";
import { writerAnnotation } from "./journal-chunk.ts";
import { type RecordWrite, writeRecord } from "./write-record.ts";

const owner = { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", namespace: "shop", name: "r", uid: "u1" };
const first: RecordWrite = {
  owner,
  chunk: { name: "r-journal-u1-0", index: 0 },
  resourceVersion: undefined,
  lastWriter: "me",
  writer: "me",
  generations: {},
  key: "0000000001",
  value: "one",
};

function write(api: ConfigMaps, record: RecordWrite, ...fates: readonly Fate[]): ReturnType<typeof writeRecord> {
  api.next(...fates);
  return writeRecord(record, { api, deadline: performance.now() + 1_000, sleep: async () => {} });
}

function valuesOf(api: ConfigMaps): unknown {
  return api.all().map(({ data }) => data);
}

test("a record goes into a ConfigMap of its Release, and the next one beside it", async () => {
  const api = new ConfigMaps();
  const answer = await write(api, first);
  expect(answer.kind).toBe("written");
  const resourceVersion = answer.kind === "written" ? answer.resourceVersion : "";
  await expect(write(api, { ...first, resourceVersion, key: "0000000002", value: "two" })).resolves.toMatchObject({
    kind: "written",
  });
  expect(api.all()).toMatchObject([
    {
      metadata: { ownerReferences: [{ kind: "Release", uid: "u1" }] },
      data: { "0000000001": "one", "0000000002": "two" },
    },
  ]);
});

test.each<readonly Fate[]>([["lost"], ["never"], ["lost", "never"], ["never", "never", "never"], ["lost", "lost"]])(
  "one whose answer is lost is read back, and is there once: %s",
  async (...fates) => {
    const api = new ConfigMaps();
    await expect(write(api, first, ...fates)).resolves.toMatchObject({ kind: "written" });
    expect(valuesOf(api)).toEqual([{ "0000000001": "one" }]);
  },
);

test("what nobody answers for its whole time is unknown", async () => {
  const api = new ConfigMaps();
  api.next(...Array.from({ length: 50 }, () => "never" as const));
  const answer = await writeRecord(first, { api, deadline: performance.now(), sleep: async () => {} });
  expect(answer).toEqual({ kind: "unknown", message: "no answer" });
});

test("another writer's name in the ConfigMap ends it, and nothing is written", async () => {
  const api = new ConfigMaps();
  await write(api, first);
  api.tamper("r-journal-u1-0", (object) => ({
    ...object,
    metadata: { ...object.metadata, annotations: { [writerAnnotation]: "other" } },
  }));
  const answer = await write(api, { ...first, resourceVersion: "1", key: "0000000002", value: "two" });
  expect(answer).toMatchObject({ kind: "foreign", message: expect.stringContaining("other writes the ConfigMap") });
  expect(valuesOf(api)).toEqual([{ "0000000001": "one" }]);
});

test("somebody else's ConfigMap of that name holds this Release, and no controller steps down for it", async () => {
  const api = new ConfigMaps();
  api.createNow({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: first.chunk.name, namespace: "shop" },
    data: {},
  });
  await expect(write(api, first)).resolves.toMatchObject({ kind: "refused", isFinal: true });
  expect(valuesOf(api)).toEqual([{}]);
});

test("somebody's label on the ConfigMap changes its version and nothing else", async () => {
  const api = new ConfigMaps();
  await write(api, first);
  api.tamper("r-journal-u1-0", (object) => ({ ...object, metadata: { ...object.metadata, labels: { a: "b" } } }));
  const second = { ...first, resourceVersion: "1", key: "0000000002", value: "two" };
  await expect(write(api, second)).resolves.toMatchObject({ kind: "written" });
});

test("a ConfigMap that is gone is not made anew with a part of the journal", async () => {
  const api = new ConfigMaps();
  await expect(write(api, { ...first, resourceVersion: "1" })).resolves.toMatchObject({ kind: "refused" });
  expect(api.all()).toEqual([]);
});

test("what may have been written is taken away, whether it is there or still to come", async () => {
  const landed = new ConfigMaps();
  await write(landed, first);
  await expect(write(landed, { ...first, value: null })).resolves.toMatchObject({ kind: "written" });
  expect(valuesOf(landed)).toEqual([{}]);

  const late = new ConfigMaps();
  await write(late, { ...first, value: null });
  expect(() => late.createNow({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: first.chunk.name } })).toThrow(
    "AlreadyExists",
  );
});
