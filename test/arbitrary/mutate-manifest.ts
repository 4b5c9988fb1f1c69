import { type Document, isMap, isPair, isScalar, isSeq, type Node, type Pair, parseAllDocuments, Scalar } from "yaml";

/** Draws a whole number from 0 up to and without the given one. */
export type Draw = (below: number) => number;

/** Draws that are the same for the same seed (mulberry32). */
export function drawsOf(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What stands under each key anywhere in a body of manifests, so that a field can be given another one's value. */
export type Donors = ReadonlyMap<string, readonly unknown[]>;

export function collectDonors(texts: Iterable<string>): Donors {
  const donors = new Map<string, unknown[]>();
  for (const text of texts) {
    for (const document of parseAllDocuments(text, { version: "1.1" })) {
      if ("empty" in document) continue;
      for (const { key, value } of fieldsOf(document)) {
        const known = donors.get(key) ?? [];
        if (known.length < mostDonors) known.push(value);
        donors.set(key, known);
      }
    }
  }
  return donors;
}

const mostDonors = 200;

/** Manifests that differ from the given ones in one to four places, of which most still mean something. */
export function mutateManifest(text: string, donors: Donors, draw: Draw): string {
  const documents = parseAllDocuments(text, { version: "1.1" }).filter(
    (document): document is Document.Parsed =>
      !("empty" in document) && document.contents !== null && document.errors.length === 0,
  );
  if (documents.length === 0) return text;
  const times = 1 + draw(4);
  for (let count = 0; count < times; count += 1) {
    const document = pick(documents, draw);
    if (document !== undefined) mutateOnce(document, donors, draw);
  }
  if (documents.length > 1 && draw(12) === 0) documents.splice(draw(documents.length), 1);
  return documents.map(String).join("---\n");
}

/** Values that are odd almost anywhere. */
const oddValues: readonly unknown[] = [
  null,
  true,
  "",
  "*",
  "*.a.test",
  "a.test",
  "x".repeat(300),
  "a b",
  "a\nb",
  "a\u0000b",
  "ü",
  "%REQ(a)%",
  "%",
  "(",
  "(a{100}){100}",
  "0s",
  "1ms",
  "99999999h",
  "-1s",
  0,
  -1,
  1,
  65_535,
  65_536,
  4_294_967_295,
  4_294_967_296,
  1e300,
  0.5,
  [],
  {},
  [null],
  ["a", "a"],
  "10.0.0.1",
  "::1",
  "10.0.0.0/8",
];

/** Keys that a careless program takes for something else. */
const oddKeys: readonly string[] = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "a.b/c",
  "*",
  ":authority",
  "@request.auth.claims.sub",
];

interface Field {
  readonly key: string;
  readonly value: unknown;
}

function mutateOnce(document: Document.Parsed, donors: Donors, draw: Draw): void {
  const pairs = pairsOf(document.contents);
  const pair = pick(pairs, draw);
  if (pair === undefined) return;
  const key = keyOf(pair);
  switch (draw(7)) {
    case 0:
      return removeFrom(document.contents, pair);
    case 1: {
      pair.value = document.createNode(pick(oddValues, draw));
      return;
    }
    case 2: {
      if (isSeq(pair.value) && pair.value.items.length > 0) repeatItem(pair.value.items, draw);
      else pair.value = document.createNode(pick(oddValues, draw));
      return;
    }
    case 3: {
      const other = draw(8) === 0 ? pick(oddKeys, draw) : pick([...donors.keys()], draw);
      if (other !== undefined) pair.key = new Scalar(other);
      return;
    }
    case 4: {
      if (isScalar(pair.value)) pair.value = document.createNode(editScalar(pair.value.value, draw));
      return;
    }
    default: {
      const given = donors.get(key);
      if (given !== undefined) pair.value = document.createNode(structuredClone(pick(given, draw)));
    }
  }
}

/** Another value that looks much like the one that is there. */
function editScalar(value: unknown, draw: Draw): unknown {
  if (typeof value === "number") return pick([value + 1, value - 1, -value, value * 1000, value / 3], draw);
  if (typeof value === "boolean") return !value;
  const text = String(value);
  const edits = [
    text.slice(1),
    text.slice(0, -1),
    text.toUpperCase(),
    `*${text}`,
    `*.${text}`,
    `${text}.`,
    `${text}/${text}`,
    `${text} `,
    `${text}%`,
    `${text}\u0000`,
    `(${text}`,
    `${text}*`,
    text.repeat(40),
  ];
  return pick(edits, draw);
}

function repeatItem(items: unknown[], draw: Draw): void {
  const item = pick(items, draw);
  items.splice(draw(items.length + 1), 0, isNode(item) ? item.clone() : item);
}

function removeFrom(contents: Node | null, gone: Pair): void {
  visit(contents, (map) => {
    const index = map.items.indexOf(gone);
    if (index !== -1) map.items.splice(index, 1);
  });
}

function pairsOf(contents: Node | null): Pair[] {
  const pairs: Pair[] = [];
  visit(contents, (map) => pairs.push(...map.items.filter((item) => isPair(item))));
  return pairs;
}

function fieldsOf(document: Document): Field[] {
  return pairsOf(document.contents).map((pair) => {
    const { value } = pair;
    return { key: keyOf(pair), value: isNode(value) ? value.toJS(document) : value };
  });
}

function visit(value: unknown, found: (map: { readonly items: Pair[] }) => void): void {
  if (isMap(value)) {
    found(value);
    for (const { value: inner } of value.items) visit(inner, found);
  } else if (isSeq(value)) for (const inner of value.items) visit(inner, found);
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value);
}

function pick<Item>(items: readonly Item[], draw: Draw): Item | undefined {
  return items.length === 0 ? undefined : items[draw(items.length)];
}
