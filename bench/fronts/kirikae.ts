import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectApi, type ApiClient } from "../../src/api/client.ts";
import type { MoveProgress } from "../../src/api/types.ts";
import type { VersionName } from "../../src/core/release/move/move.ts";
import { epochNowMs } from "../../test/load/load-clock.ts";
import type { Backends } from "../backends.ts";
import { benchHost, threads, type Color, type Front, type RunningFront, type SwitchCall } from "../front.ts";
import { startUp, type RunningUp } from "./up-process.ts";

/** The product as a user runs it: `kirikae up` as a process, and moves through its API. */
export const kirikae: Front = {
  name: "kirikae",
  missing: () => Promise.resolve(undefined),
  start: (backends, folder) => startKirikae(backends, folder, { others: 0 }),
};

export interface RunningKirikae extends RunningFront {
  readonly up: RunningUp;
  readonly client: ApiClient;
}

export interface KirikaeSetup {
  /** VirtualServices beside the one that is switched. */
  readonly others: number;
}

/** Starts `up` on generated manifests: the one that is switched, and others that are not. */
export async function startKirikae(backends: Backends, folder: string, setup: KirikaeSetup): Promise<RunningKirikae> {
  const manifests = join(folder, "manifests");
  await mkdir(manifests, { recursive: true });
  await writeFile(join(manifests, "mesh.yaml"), meshYaml(backends));
  const perFile = 250;
  for (let from = 0; from < setup.others; from += perFile) {
    const documents = Array.from({ length: Math.min(perFile, setup.others - from) }, (_, at) => otherYaml(from + at));
    await writeFile(join(manifests, `others-${from}.yaml`), documents.join("---\n"));
  }
  const up = await startUp({ manifests, stateFolder: join(folder, "state"), concurrency: threads });
  const client = await connectApi(up.apiFiles);
  const gateway = up.ready.gateways[0];
  if (gateway === undefined) throw new Error("up has no gateway");
  return {
    up,
    client,
    version: up.envoyVersion,
    address: gateway.address,
    switchTo: (color) => switchTo(client, color),
    [Symbol.asyncDispose]: () => up[Symbol.asyncDispose](),
  };
}

/** Done is when the API says `proved`; the move goes on to count stray answers, which is what `settled` waits for. */
async function switchTo(client: ApiClient, color: Color): Promise<SwitchCall> {
  const to: Record<VersionName, number> = { [color]: 100 };
  const proved = Promise.withResolvers<{ readonly doneMs: number; readonly proofMs: number }>();
  const onProgress = (progress: MoveProgress): void => {
    if (progress.kind === "proved") proved.resolve({ doneMs: epochNowMs(), proofMs: progress.callToProofMs });
  };
  const request = {
    verb: "switch",
    name: "sample-app",
    namespace: "sample-ns",
    route: undefined,
    to,
    actor: "bench",
    reason: undefined,
  } as const;
  const settled = client.move(request, onProgress).then((result) => {
    if (!result.ok)
      throw new Error(`The move to ${color} was ${result.outcome}: ${result.message ?? "no reason given"}`);
    return result;
  });
  const { doneMs, proofMs } = await Promise.race([proved.promise, settled.then(() => proved.promise)]);
  return { doneMs, proofMs, ok: true, settled };
}

function meshYaml(backends: Backends): string {
  const colors: readonly Color[] = ["blue", "green"];
  const workloads = colors.map(
    (color) => `---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: nginx-${color}, namespace: sample-ns }
spec:
  labels: { app: nginx, version: ${color} }
  addresses: ["127.0.0.1:${backends.port[color]}"]
`,
  );
  return `apiVersion: v1
kind: Service
metadata: { name: sample-app, namespace: sample-ns }
spec:
  selector: { app: nginx }
  ports: [{ name: http, port: 40001, targetPort: 80 }]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: sample-gateway, namespace: sample-ns }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: sample-app, namespace: sample-ns }
spec:
  host: sample-app
  subsets:
    - { name: blue, labels: { version: blue } }
    - { name: green, labels: { version: green } }
---
${virtualServiceYaml("sample-app", benchHost)}${workloads.join("")}`;
}

function otherYaml(number: number): string {
  return virtualServiceYaml(`app-${number}`, `app-${number}.hoge.com`);
}

/** The header rule and the public rule of scenario A. */
function virtualServiceYaml(name: string, host: string): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: sample-ns }
spec:
  hosts: [${host}]
  gateways: [sample-gateway]
  http:
    - name: preview
      match: [{ headers: { x-version: { exact: green } } }]
      route: [{ destination: { host: sample-app, subset: green } }]
    - name: public
      route: [{ destination: { host: sample-app, subset: blue } }]
`;
}
