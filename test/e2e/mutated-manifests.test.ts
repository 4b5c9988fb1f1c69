import { glob, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { collectDonors, drawsOf, mutateManifest } from "../arbitrary/mutate-manifest.ts";
import { Judge, type Judgement } from "./refusal-fixture.ts";

const rounds = Number(process.env["KIRIKAE_MUTATIONS"] ?? 1_500);
const seed = Number(process.env["KIRIKAE_SEED"] ?? 20_261_121);
/**
 * Longer than this and a manifest could be used to hold up whoever checks it. The better of two tries counts, because
 * other work on the machine is no fault of it.
 */
const longestMs = 1_000;

/** The first of these is served before anything else, and has to be one that can be. */
const plain = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app}
spec: {hosts: [a.test], gateways: [gateway], http: [{directResponse: {status: 200}}]}
`;

async function readCorpus(): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const path of glob("{testdata/*/*.in.yaml,examples/*/*.yaml}")) texts.push(await readFile(path, "utf8"));
  return texts;
}

test(
  `of ${rounds} mutated manifests none makes Envoy refuse what check let through (seed ${seed})`,
  { timeout: 60_000 + rounds * 100 },
  async () => {
    const corpus = await readCorpus();
    expect(corpus.length).toBeGreaterThan(50);
    const donors = collectDonors(corpus);
    await using judge = await Judge.open(plain);
    let served = 0;
    for (let round = 0; round < rounds; round += 1) {
      const draw = drawsOf(seed * 1_000_003 + round);
      const yaml = mutateManifest(corpus[draw(corpus.length)] ?? plain, donors, draw);
      const { report, tookMs } = await timed(judge, yaml);
      const bestMs = tookMs < longestMs ? tookMs : (await timed(judge, yaml)).tookMs;
      expect(bestMs, `round ${round} of seed ${seed} takes long:\n${yaml}`).toBeLessThan(longestMs);
      if (report === undefined) continue;
      served += 1;
      if (report.kind !== "applied") {
        throw new Error(`round ${round} of seed ${seed}: ${JSON.stringify(report)}\n${yaml}`);
      }
    }
    // A test in which nothing is served would prove nothing.
    expect(served).toBeGreaterThan(rounds / 20);
  },
);

async function timed(judge: Judge, yaml: string): Promise<Judgement & { readonly tookMs: number }> {
  const startMs = performance.now();
  const judgement = await judge.judge(yaml);
  return { ...judgement, tookMs: judgement.builtMs - startMs };
}
