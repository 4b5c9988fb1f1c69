import { type AskOptions } from "./ask.ts";
import { type Fill, type OracleCase, readCases, readWorld } from "./case-file.ts";
import { Cluster } from "./cluster.ts";
import { type AnswerDifference, compareAnswers } from "./compare-answers.ts";
import { readConfig } from "./config-dump.ts";
import { type Credentials, issueCredentials } from "./credentials.ts";
import { type BackendKind, type EchoBackends, startEchoBackends } from "./echo-backends.ts";
import { IstiodSide } from "./istiod-side.ts";
import { KirikaeSide } from "./kirikae-side.ts";
import type { KubeObject } from "./kube-client.ts";
import { resolveIstioOutbound, type ResolvedOutbound, resolveOutbound } from "./resolved-outbound.ts";
import { resolveTable, type ResolvedTable } from "./resolved-table.ts";

export interface JudgeOptions {
  readonly istiod: string;
  readonly apiserver: string;
  readonly etcd: string;
  readonly envoy: string;
}

export interface Verdict {
  readonly answers: readonly AnswerDifference[];
  /** By caller: the routes that its sidecar was told. */
  readonly outbound: {
    readonly istiod: Readonly<Record<string, ResolvedOutbound>>;
    readonly kirikae: Readonly<Record<string, ResolvedOutbound>>;
  };
  /** What the two Envoys were told, in the form that they have to have in common. */
  readonly tables: { readonly istiod: ResolvedTable; readonly kirikae: ResolvedTable };
}

/** Every name that `PORT_` may stand before in a case. */
const backendNames: Readonly<Record<BackendKind, readonly string[]>> = {
  http: [
    "blue",
    "green",
    "web",
    "shadow",
    "multi",
    "multi-admin",
    "grpc",
    "team-blue",
    "team-green",
    "hidden",
    "external",
  ],
  https: ["secure-blue", "secure-green"],
  tcp: ["tcp-blue", "tcp-green"],
};

/** Istio's Ingress controller is on; without an Ingress in a case it does nothing. */
const meshConfig = {
  ingressControllerMode: "STRICT",
  ingressSelector: "ingressgateway",
  ingressService: "istio-ingressgateway",
};

/** A real istiod and kirikae side by side, each with its own Envoy, in front of the same backends. */
export class Judge implements AsyncDisposable {
  readonly backends: EchoBackends;
  readonly credentials: Credentials;
  readonly istiod: IstiodSide;
  readonly kirikae: KirikaeSide;
  readonly #cases: ReadonlyMap<string, OracleCase>;
  readonly #world: readonly KubeObject[];
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<Judge, "backends" | "credentials" | "istiod" | "kirikae"> & {
      readonly world: readonly KubeObject[];
      readonly cases: readonly OracleCase[];
    },
    stack: AsyncDisposableStack,
  ) {
    this.backends = parts.backends;
    this.credentials = parts.credentials;
    this.istiod = parts.istiod;
    this.kirikae = parts.kirikae;
    this.#world = parts.world;
    this.#stack = stack;
    this.#cases = new Map(parts.cases.map((each) => [each.name, each]));
  }

  static async start(options: JudgeOptions): Promise<Judge> {
    await using stack = new AsyncDisposableStack();
    const credentials = issueCredentials();
    const kinds = Object.entries(backendNames).flatMap(([kind, names]) =>
      names.map((name) => [name, kind as BackendKind]),
    );
    const names = Object.fromEntries(kinds) as Readonly<Record<string, BackendKind>>;
    const backends = stack.use(await startEchoBackends(names, credentials.get("backend")));
    const fill = createFill(backends, credentials);
    const cluster = stack.use(await Cluster.start({ ...options, meshConfig }));
    const istiod = await IstiodSide.start(cluster);
    const kirikae = stack.use(await KirikaeSide.start());
    const world = await istiod.addWorld(readWorld(fill));
    return new Judge({ backends, credentials, istiod, kirikae, world, cases: readCases(fill) }, stack.move());
  }

  /** @throws when a side does not take the manifests. */
  async compare(name: string): Promise<Verdict> {
    const found = this.#cases.get(name);
    if (found === undefined) throw new Error(`no case ${name}`);
    const stored = await this.istiod.replaceCase(found.manifests, found.callers);
    await this.kirikae.apply([...this.#world, ...stored]);
    return {
      answers: await compareAnswers(found.requests, this.#sides()),
      outbound: await this.#readOutbound(),
      tables: await this.#readTables(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #readOutbound(): Promise<Verdict["outbound"]> {
    const istiod: Record<string, ResolvedOutbound> = {};
    const kirikae: Record<string, ResolvedOutbound> = {};
    for (const [id, { proxy }] of this.istiod.callers) {
      const told = await readConfig(proxy.admin);
      const own = await readConfig(this.kirikae.fixture.admin());
      // A caller whose namespace has another policy has a cluster of its own, with the namespace after its name.
      const nameCluster = (name: string): string => {
        const plain = name.replace(/@.*$/, "");
        return told.clusters.has(plain) ? plain : "(no such cluster)";
      };
      istiod[id] = resolveIstioOutbound(told, nameCluster);
      kirikae[id] = resolveOutbound(own, this.kirikae.outboundPortOf(id), nameCluster);
    }
    return { istiod, kirikae };
  }

  async #readTables(): Promise<Verdict["tables"]> {
    const [istiod, kirikae] = [
      await readConfig(this.istiod.gateway.admin),
      await readConfig(this.kirikae.fixture.admin()),
    ];
    // Istio sends every service's cluster, so that a name which it does not have leads nowhere on either side.
    const isKnown = (name: string) => istiod.clusters.has(name);
    return {
      istiod: resolveTable(istiod, { isKnown, servicePortOf: this.istiod.servicePortOf }),
      kirikae: resolveTable(kirikae, { isKnown, servicePortOf: this.kirikae.servicePortOf }),
    };
  }

  #sides(): { readonly istiod: AskOptions; readonly kirikae: AskOptions } {
    const { backends, credentials, istiod, kirikae } = this;
    return {
      istiod: { backends, credentials, entryOf: (request) => istiod.entryOf(request) },
      kirikae: { backends, credentials, entryOf: (request) => kirikae.entryOf(request) },
    };
  }
}

function createFill(backends: EchoBackends, credentials: Credentials): Fill {
  return (kind, name) => {
    switch (kind) {
      case "PORT":
        return String(backends.portOf(name));
      case "CERT":
        return encodeText(credentials.get(name).certificate);
      case "KEY":
        return encodeText(credentials.get(name).key);
    }
  };
}

function encodeText(text: string): string {
  return Buffer.from(text).toString("base64");
}
