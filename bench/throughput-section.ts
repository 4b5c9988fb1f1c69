import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { median } from "../test/load/load-summary.ts";
import type { Backends } from "./backends.ts";
import type { BenchSize } from "./bench-size.ts";
import { benchHost, threads } from "./front.ts";
import { startKirikae, type RunningKirikae } from "./fronts/kirikae.ts";
import { renderCount, renderMs, renderTable } from "./markdown.ts";
import {
  findProgram,
  freePorts,
  runProgram,
  startProcess,
  waitForPort,
  type StartedProcess,
} from "./started-process.ts";
import { staticEnvoyYaml, type StaticVariant } from "./static-envoy.ts";

interface Throughput {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of Envoy; steadier than the rate where other work shares the machine. */
  readonly cpuMicrosPerRequest: number;
}

interface Candidate {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
  readonly results: Throughput[];
}

/** The same Envoy binary, configured by kirikae and by files, in turns. */
export async function benchThroughput(backends: Backends, folder: string, size: BenchSize): Promise<string> {
  const wrk = await findProgram("wrk");
  if (wrk === undefined) return "Not measured: `wrk` (Debian package `wrk`) is not installed.";
  const own = join(folder, "throughput");
  await mkdir(own);
  await using running = await startKirikae(backends, own, { others: 0 });
  await using alike = await startStatic("same behaviour", { running, backends, folder: own });
  await using bare = await startStatic("bare", { running, backends, folder: own });
  const envoyPid = (await running.client.status()).proxies[0]?.pid ?? 0;
  const kirikae: Candidate = { name: "kirikae", address: running.address, pid: envoyPid, results: [] };
  const candidates = [kirikae, alike.candidate, bare.candidate];
  for (const candidate of candidates) await measure(wrk, candidate, 1);
  for (let round = 0; round < size.throughputRounds; round++) {
    size.report(`throughput, round ${round + 1} of ${size.throughputRounds}`);
    // The order turns with each round, so that none always runs after the same other.
    const order = candidates.map((_, index) => candidates[(index + round) % candidates.length] ?? kirikae);
    for (const candidate of order) candidate.results.push(await measure(wrk, candidate, size.throughputSeconds));
  }
  return `\`wrk -t1 -c64\`, ${size.throughputRounds} rounds of ${size.throughputSeconds} s in turns, medians; ${threads} worker threads. "Same behaviour" has the
settings of an Istio gateway (forwarded-for, normalized paths, weights, retries, no limits) like kirikae's; "bare" has
routes and clusters and nothing else. Ratios are kirikae's rate to theirs.

${renderTable(
  ["Envoy configured by", "requests/s", "ratio", "Envoy CPU per request", "latency p50", "p99"],
  candidates.map((candidate) => throughputRow(candidate, kirikae)),
)}`;
}

function throughputRow(candidate: Candidate, kirikae: Candidate): readonly string[] {
  const middle = (of: Candidate, read: (result: Throughput) => number): number => median(of.results.map(read));
  const rate = (of: Candidate): number => middle(of, (result) => result.requestsPerSecond);
  return [
    candidate.name,
    renderCount(rate(candidate)),
    candidate === kirikae ? "" : (rate(kirikae) / rate(candidate)).toFixed(3),
    `${middle(candidate, (result) => result.cpuMicrosPerRequest).toFixed(1)} µs`,
    renderMs(middle(candidate, (result) => result.p50Ms)),
    renderMs(middle(candidate, (result) => result.p99Ms)),
  ];
}

interface StaticSetup {
  readonly running: RunningKirikae;
  readonly backends: Backends;
  readonly folder: string;
}

async function startStatic(
  variant: StaticVariant,
  setup: StaticSetup,
): Promise<AsyncDisposable & { readonly candidate: Candidate }> {
  const [port = 0] = await freePorts(1);
  const file = join(setup.folder, `${variant.replace(" ", "-")}.yaml`);
  await writeFile(file, staticEnvoyYaml(port, setup.backends, variant));
  const command = [setup.running.up.envoyPath, "-c", file, "--concurrency", String(threads), "--use-dynamic-base-id"];
  // kirikae starts its Envoy in a session of its own, so that it survives kirikae.
  const started: StartedProcess = startProcess([...command, "--log-level", "error"], { isOwnSession: true });
  await waitForPort(port, started);
  return {
    candidate: { name: `a file, ${variant}`, address: `127.0.0.1:${port}`, pid: started.pid, results: [] },
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

async function measure(wrk: string, { address, pid }: Candidate, seconds: number): Promise<Throughput> {
  const url = `http://${address}/`;
  const before = await processorMicros(pid);
  const output = await runProgram([wrk, "-t1", "-c64", `-d${seconds}s`, "--latency", "-H", `Host: ${benchHost}`, url]);
  const used = (await processorMicros(pid)) - before;
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk met errors at ${address}: ${output}`);
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  return {
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: toMs(/50%\s+(\S+)/.exec(output)?.[1]),
    p99Ms: toMs(/99%\s+(\S+)/.exec(output)?.[1]),
    cpuMicrosPerRequest: used / number(/(\d+) requests in/),
  };
}

/** User and system time of a process (proc(5), stat); the clock tick is 10 ms on Linux. */
async function processorMicros(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? Number.NaN) + Number(fields[12] ?? Number.NaN)) * 10_000;
}

/** wrk writes `1.38ms`, `812.00us` or `1.02s`. */
function toMs(text: string | undefined): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text ?? "") ?? [];
  const scale = { us: 0.001, ms: 1, s: 1_000 };
  return unit === "us" || unit === "ms" || unit === "s" ? Number(number) * scale[unit] : Number.NaN;
}
