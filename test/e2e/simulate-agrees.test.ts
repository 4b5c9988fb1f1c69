import * as fc from "fast-check";
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import type { AskedConnection } from "../../src/cli/explain-connection.ts";
import { blocksServing } from "../../src/core/diagnostics/diagnostic.ts";
import { type MeshModel, MeshModelBuilder } from "../../src/core/mesh-model.ts";
import type { SimulatedRequest } from "../../src/core/routes/simulation.ts";
import { reduceDocuments } from "../arbitrary/reduce-documents.ts";
import { routeCases } from "../arbitrary/route-case.ts";
import { connectionLines, readConnection } from "../routes-golden/read-connection.ts";
import { readRequest, requestLines } from "../routes-golden/read-request.ts";
import { writeConnection, writeRequest } from "../routes-golden/write-request.ts";
import { agreeOnConnection, agreeOnRequest, type Comparison } from "./agreement/agree-on.ts";
import { startUpstreams } from "./agreement/echo-upstreams.ts";
import { type Form, ServedWorld } from "./agreement/served-world.ts";

/** About 47 pairs each. `npm run soak` and CI ask for a number; without one it ends after half a minute. */
const asked = process.env["KIRIKAE_AGREEMENT_MESHES"];
const meshes = Number(asked ?? 450);
const longestMs = 30_000;
const seed = Number(process.env["KIRIKAE_SEED"] ?? 20_261_121);
const requestsEach = 80;
const connectionsEach = 8;
/** At the same time: an answer is mostly waited for. */
const lanes = 8;

const kinds =
  "no-filter-chain no-virtual-host no-route rejected route failure direct redirect fault cors sticky bytes closed";

type Question =
  | { readonly kind: "request"; readonly asked: SimulatedRequest }
  | { readonly kind: "connection"; readonly asked: AskedConnection };

/** A pair about which the two disagree. */
interface Found {
  readonly world: ServedWorld;
  readonly yaml: string;
  readonly question: Question;
  readonly comparison: Comparison;
}

test(
  `simulate and Envoy agree on ${meshes} random meshes, seed ${seed}`,
  async () => {
    await using stack = new AsyncDisposableStack();
    const worlds = await startWorlds(stack);
    const met = new Map<string, number>();
    const found: Found[] = [];
    const form = fc.constantFrom<Form>("whole", "whole", "whole", "scoped");
    const cases = routeCases({ requests: requestsEach, connections: connectionsEach });
    const details = await fc.check(
      fc.asyncProperty(form, cases, async (chosen, { yaml, requests, connections }) => {
        const world = worlds[chosen];
        const model = buildModel(yaml);
        if (model === undefined) return true;
        await world.serve(model.table);
        const questions: Question[] = [
          ...requests.map((asked) => ({ kind: "request" as const, asked })),
          ...connections.map((asked) => ({ kind: "connection" as const, asked })),
        ];
        const stuck = new Map<string, string | undefined>();
        await inLanes(questions, async (question) => {
          const comparison = await compare(world, model, question);
          if (comparison === undefined) return;
          const { kind, agrees, sticksTo, seen } = comparison;
          met.set(kind, (met.get(kind) ?? 0) + 1);
          if (!agrees) found.push({ world, yaml, question, comparison });
          if (sticksTo === undefined) return;
          met.set("sticky", (met.get("sticky") ?? 0) + 1);
          expect(seen.upstream, sticksTo).toBe(stuck.get(sticksTo) ?? seen.upstream);
          stuck.set(sticksTo, seen.upstream);
        });
        return found.length === 0;
      }),
      {
        numRuns: meshes,
        seed,
        endOnFailure: true,
        ...(asked === undefined ? { interruptAfterTimeLimit: longestMs } : {}),
      },
    );
    const pairs = [...met.values()].reduce((sum, count) => sum + count, 0);
    console.log(`${pairs} pairs, seed ${seed}:`, Object.fromEntries(met));
    if (found[0] !== undefined) throw new Error(await renderFound(found[0]));
    expect(details.failed ? fc.defaultReportMessage(details) : undefined).toBeUndefined();
    // Agreement is worth something only where every kind of answer was met.
    expect(kinds.split(" ").filter((kind) => pairs > 10_000 && !met.has(kind))).toEqual([]);
  },
  120_000 + meshes * 3_000,
);

const foundCases = globSync("testdata/routes/found-*.in.yaml").toSorted();

test("what was found once stays found", async () => {
  await using stack = new AsyncDisposableStack();
  const worlds = Object.values(await startWorlds(stack));
  expect(foundCases.length).toBeGreaterThan(0);
  for (const path of foundCases) {
    const text = readFileSync(path, "utf8");
    const model = buildModel(text);
    if (model === undefined) throw new Error(`${path} cannot be served`);
    const questions: Question[] = [
      ...requestLines(text).map((line) => ({ kind: "request" as const, asked: readRequest(line) })),
      ...connectionLines(text).map((line) => ({ kind: "connection" as const, asked: readConnection(line) })),
    ];
    for (const world of worlds) {
      await world.serve(model.table);
      for (const question of questions) {
        const comparison = await compare(world, model, question);
        expect(comparison?.agrees, JSON.stringify({ path, form: world.form, ...question, ...comparison })).toBe(true);
      }
    }
  }
}, 120_000);

async function startWorlds(stack: AsyncDisposableStack): Promise<Record<Form, ServedWorld>> {
  const upstreams = await startUpstreams(stack);
  return {
    whole: stack.use(await ServedWorld.start("whole", upstreams)),
    scoped: stack.use(await ServedWorld.start("scoped", upstreams)),
  };
}

/** Undefined for what `up` would not serve. */
function buildModel(yaml: string): MeshModel | undefined {
  const model = new MeshModelBuilder().buildServable([{ path: "mesh.yaml", text: yaml }], {
    defaultNamespace: "default",
  });
  return model.diagnostics.some(blocksServing) || model.table.listeners.length === 0 ? undefined : model;
}

/** Asked again where no answer came: a refusal that is followed by a reset can be lost on the way to the client. */
async function compare(world: ServedWorld, model: MeshModel, question: Question): Promise<Comparison | undefined> {
  const ask = () =>
    question.kind === "request"
      ? agreeOnRequest(world, model, question.asked)
      : agreeOnConnection(world, model, question.asked);
  const first = await ask();
  return first?.agrees === false && first.seen.status === 0 ? await ask() : first;
}

async function inLanes<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = [...items];
  const lane = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** The smallest manifests that show the difference, in the form of a golden case. */
async function renderFound({ world, yaml, question, comparison: first }: Found): Promise<string> {
  const differs = async (documents: readonly unknown[]): Promise<Comparison | undefined> => {
    const model = buildModel(renderYaml(documents));
    if (model === undefined) return undefined;
    await world.serve(model.table);
    const comparison = await compare(world, model, question);
    return comparison?.agrees === false ? comparison : undefined;
  };
  const documents = parseAllDocuments(yaml).map((document): unknown => document.toJS());
  const reduced = await reduceDocuments(documents, async (fewer) => (await differs(fewer)) !== undefined);
  const again = await differs(reduced);
  const { foretold, seen } = again ?? first;
  const said = JSON.stringify({ form: world.form, differsAgain: again !== undefined, foretold, seen }, undefined, 1);
  const line =
    question.kind === "request"
      ? `# request: ${writeRequest(question.asked)}`
      : `# connection: ${writeConnection(question.asked)}`;
  return [
    `simulate and Envoy differ, seed ${seed}. Save what follows the line as testdata/routes/found-*.in.yaml.`,
    said,
    "---------",
    line,
    renderYaml(reduced),
  ].join("\n");
}

function renderYaml(documents: readonly unknown[]): string {
  return documents.map((document) => stringify(document, { lineWidth: 0 })).join("---\n");
}
