import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { buildMeshModel } from "../mesh-model.ts";
import { nameDestination } from "../routes/name-destination.ts";
import type { OwnedAddition, RouteAddition } from "../routes/route-addition.ts";
import type { RouteTable, SplitWeights } from "../routes/route-table.ts";
import { splitsOf } from "../routes/weights.ts";
import { planSiteWrites, type SiteChange } from "./plan-site-writes.ts";
import { renderSiteSource } from "./render-site-source.ts";
import type { SiteObject } from "./site-object.ts";

const folder = fileURLToPath(new URL("../../../testdata/site/", import.meta.url));
const cases = readdirSync(folder)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((file) => file.slice(0, -".in.yaml".length));

/** The first document of a case; versions are named by their subset, or by the first label of their host. */
interface WrittenChange {
  readonly weights?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly additions?: readonly {
    readonly release: string;
    readonly to: Readonly<Record<string, string>>;
    readonly addition: RouteAddition;
  }[];
  readonly releases?: readonly string[];
}

function armOf(table: RouteTable, split: string, version: string): string {
  const found = splitsOf(table)
    .get(split)
    ?.arms.map(({ destination }) => destination)
    .find((id) => [nameDestination(id).subset, nameDestination(id).host.split(".")[0]].includes(version));
  return found ?? version;
}

function readCase(name: string): SiteChange {
  const [change, ...objects] = parseAllDocuments(readFileSync(`${folder}${name}.in.yaml`, "utf8")).map(
    (document) => document.toJS() as unknown,
  );
  const { weights = {}, additions = [], releases } = change as WrittenChange;
  const live = objects as readonly SiteObject[];
  const { table } = buildMeshModel(live.map(renderSiteSource), { defaultNamespace: "default" });
  const named = Object.entries(weights).map(([split, shares]): [string, SplitWeights] => [
    split,
    Object.fromEntries(Object.entries(shares).map(([version, weight]) => [armOf(table, split, version), weight])),
  ]);
  const laid = additions.map(({ release, to, addition }): OwnedAddition => {
    const arms = Object.entries(to).map(([split, version]) => [split, armOf(table, split, version)]);
    return { release, addition: { ...addition, to: Object.fromEntries(arms) } as RouteAddition };
  });
  return {
    objects: live,
    table,
    weights: new Map(named),
    additions: laid,
    ...(releases === undefined ? {} : { releases: new Set(releases) }),
  };
}

describe.each(cases)("%s", (name) => {
  const change = readCase(name);

  test("is written as its golden file says", async () => {
    const plan = planSiteWrites(change);
    const shown =
      plan.kind === "writes"
        ? plan.writes.map(({ object }) => object)
        : [{ refused: plan.error.code, message: plan.error.message, hint: plan.error.hint }];
    const text = shown.map((each) => stringify(each, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");
    await expect(text === "" ? "# nothing\n" : text).toMatchFileSnapshot(`${folder}${name}.out.yaml`);
  });

  test("changes nothing but weights, entries for versions and routes of its own", () => {
    const before = JSON.stringify(change.objects);
    planSiteWrites(change);
    expect(JSON.stringify(change.objects)).toBe(before);
  });
});

test("covers each way in which a change can be refused", () => {
  const refused = cases.flatMap((name) => {
    const plan = planSiteWrites(readCase(name));
    return plan.kind === "refused" ? [plan.error.code] : [];
  });
  const codes = ["KIR4020", "KIR4021", "KIR4022", "KIR4023", "KIR4024", "KIR4025", "KIR4026", "KIR4027", "KIR4028"];
  expect([...new Set(refused)].toSorted()).toEqual([...codes, "KIR4030"]);
});
