import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { median } from "../test/load/load-summary.ts";
import type { Backends } from "./backends.ts";
import type { BenchSize } from "./bench-size.ts";
import { benchHost, threads } from "./front.ts";
import { startKirikae } from "./fronts/kirikae.ts";
import { renderCount, renderMs, renderTable } from "./markdown.ts";
import { findProgram, freePorts, runProgram, startProcess, waitForPort } from "./started-process.ts";

interface Throughput {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The same Envoy binary twice, once configured by kirikae and once by a file, in turns. */
export async function benchThroughput(backends: Backends, folder: string, size: BenchSize): Promise<string> {
  const wrk = await findProgram("wrk");
  if (wrk === undefined) return "Not measured: `wrk` (Debian package `wrk`) is not installed.";
  const own = join(folder, "throughput");
  await mkdir(own);
  await using running = await startKirikae(backends, own, { others: 0 });
  const [port = 0] = await freePorts(1);
  const staticFile = join(own, "envoy.yaml");
  await writeFile(staticFile, staticEnvoyYaml(port, backends));
  const command = [running.up.envoyPath, "-c", staticFile, "--concurrency", String(threads), "--use-dynamic-base-id"];
  await using byHand = startProcess([...command, "--log-level", "error"]);
  await waitForPort(port, byHand);

  const addresses = { kirikae: running.address, byHand: `127.0.0.1:${port}` };
  const results: { readonly kirikae: Throughput[]; readonly byHand: Throughput[] } = { kirikae: [], byHand: [] };
  for (const address of Object.values(addresses)) await measure(wrk, address, 1);
  for (let round = 0; round < size.throughputRounds; round++) {
    size.report(`throughput, round ${round + 1} of ${size.throughputRounds}`);
    // The order turns with each round, so that neither is always the one that runs on the warmer machine.
    const order = round % 2 === 0 ? (["kirikae", "byHand"] as const) : (["byHand", "kirikae"] as const);
    for (const name of order) results[name].push(await measure(wrk, addresses[name], size.throughputSeconds));
  }
  const rate = (list: readonly Throughput[]): number => median(list.map((result) => result.requestsPerSecond));
  const ratio = rate(results.kirikae) / rate(results.byHand);
  return `\`wrk -t1 -c64\`, ${size.throughputRounds} rounds of ${size.throughputSeconds} s in turns, medians; ${threads} worker threads; the file holds one listener, one header
route, one plain route and two clusters. Ratio of the rates: **${ratio.toFixed(3)}**.

${renderTable(
  ["Envoy configured by", "requests/s", "latency p50", "p99"],
  [throughputRow("kirikae", results.kirikae), throughputRow("a hand-written file", results.byHand)],
)}`;
}

function throughputRow(name: string, results: readonly Throughput[]): readonly string[] {
  return [
    name,
    renderCount(median(results.map((result) => result.requestsPerSecond))),
    renderMs(median(results.map((result) => result.p50Ms))),
    renderMs(median(results.map((result) => result.p99Ms))),
  ];
}

async function measure(wrk: string, address: string, seconds: number): Promise<Throughput> {
  const url = `http://${address}/`;
  const output = await runProgram([wrk, "-t1", "-c64", `-d${seconds}s`, "--latency", "-H", `Host: ${benchHost}`, url]);
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk met errors at ${address}: ${output}`);
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  return {
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: toMs(/50%\s+(\S+)/.exec(output)?.[1]),
    p99Ms: toMs(/99%\s+(\S+)/.exec(output)?.[1]),
  };
}

/** wrk writes `1.38ms`, `812.00us` or `1.02s`. */
function toMs(text: string | undefined): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text ?? "") ?? [];
  const scale = { us: 0.001, ms: 1, s: 1_000 };
  return unit === "us" || unit === "ms" || unit === "s" ? Number(number) * scale[unit] : Number.NaN;
}

/** What a person would write who wants the same routes and nothing else. */
function staticEnvoyYaml(port: number, backends: Backends): string {
  const cluster = (name: "blue" | "green"): string => `  - name: ${name}
    type: STATIC
    connect_timeout: 5s
    load_assignment:
      cluster_name: ${name}
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${backends.port[name]} } } }
`;
  return `static_resources:
  listeners:
  - name: gateway
    address: { socket_address: { address: 127.0.0.1, port_value: ${port} } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: gateway
          route_config:
            virtual_hosts:
            - name: sample
              domains: [${benchHost}]
              routes:
              - match: { prefix: /, headers: [{ name: x-version, string_match: { exact: green } }] }
                route: { cluster: green }
              - match: { prefix: / }
                route: { cluster: blue }
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
${cluster("blue")}${cluster("green")}`;
}
