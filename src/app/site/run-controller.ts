import { setTimeout as delay } from "node:timers/promises";
import { errorText } from "../../core/diagnostics/error-text.ts";
import { splitsOf } from "../../core/routes/weights.ts";
import { findWrittenObjects } from "../../core/site/written-objects.ts";
import { Controller, type ControllerOptions, type OpenedMesh } from "../../controller/controller.ts";
import type { WriterConnection } from "../../controller/journal/record-writer.ts";
import { HealthServer } from "../../controller/health-server.ts";
import { connectInCluster, connectKube } from "../../kubernetes/connect-kube.ts";
import { createPodReach } from "../../kubernetes/create-pod-reach.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import { leaseName } from "../../kubernetes/needed-access.ts";
import { locateIstiods } from "../../targets/istio/locate-istiods.ts";
import type { UpEvent } from "../../app-types.ts";
import { assembleSite } from "./assemble-site.ts";
import type { SiteConnection } from "./connection/connect-site.ts";
import type { SiteOptions } from "./connection/site-options.ts";
import { type SiteWebhookOptions, startSiteWebhook } from "./site-webhook.ts";
import { WatchedSite } from "./objects/watch-site.ts";
import type { Webhook } from "../../webhook/start-webhook.ts";

export interface RunControllerOptions {
  /** Without a context, and without a kubeconfig, the cluster of the pod that this runs in. */
  readonly site: Omit<SiteOptions, "context"> & { readonly context: string | undefined };
  /** The only namespace whose Releases and routes count; undefined is all of them. */
  readonly namespace: string | undefined;
  readonly leaseNamespace: string | undefined;
  /** kirikae unless given. */
  readonly leaseName: string | undefined;
  readonly identity: string;
  /** 0 takes a free one; undefined serves none. */
  readonly healthPort: number | undefined;
  /** Undefined checks no objects. */
  readonly webhook: Pick<SiteWebhookOptions, "port" | "failure" | "files"> | undefined;
  readonly allows: ControllerOptions["allows"];
  /** Ends what its start waits for. */
  readonly stop: AbortSignal;
  readonly onNote: (message: string) => void;
  readonly onTrouble: (message: string) => void;
}

export interface RunningController extends AsyncDisposable {
  /** Where it tells of its health; undefined where it does not. */
  readonly healthPort: number | undefined;
  /** Where it is asked by the API server; undefined where it is not. */
  readonly webhookPort: number | undefined;
}

/** A burst of changes, such as a rollout's, is taken at once. */
const gatherMs = 200;
/** Objects that are older than this are not said to be current. */
const staleMs = 60_000;
const retryMs = 2_000;

/**
 * Runs what drives the Releases of a cluster, until it is disposed of. Resolves when the objects of the cluster are seen.
 * @throws KirikaeError where the cluster cannot be reached or read
 */
export async function runController(options: RunControllerOptions, env: NodeJS.ProcessEnv): Promise<RunningController> {
  await using stack = new AsyncDisposableStack();
  const { site, onTrouble } = options;
  const isPod = site.context === undefined && site.kubeconfig === undefined && "KUBERNETES_SERVICE_HOST" in env;
  const api = stack.use(await connect(options, env, isPod));
  const connection = buildConnection(options, api, stack);
  const state: ControllerState = { controller: undefined, mesh: undefined, webhook: undefined };
  let objects: WatchedSite | undefined;
  const health = stack.use(await HealthServer.start(options.healthPort, () => describeHealth(state, objects)));
  await whenServed(api, options);
  const taking = stack.use(new GatheredChanges(() => state.mesh?.takeChanges()));
  objects = stack.use(
    await WatchedSite.start({
      api,
      istioNamespace: site.istioNamespace,
      namespaces: namespacesOf(options),
      onChange(changes) {
        for (const { kind, name } of changes) if (kind === kubeKinds.release) state.controller?.releaseChanged(name);
        if (changes.every(({ kind }) => kind === kubeKinds.release)) return;
        taking.add();
        state.controller?.meshChanged();
      },
      onTrouble: (trouble) =>
        onTrouble(trouble.kind === "lost" ? trouble.error.message : "the API server answers again"),
    }),
  );
  const watched = objects;
  state.webhook = await startAsked(options, { api, objects: watched, stack });
  const writer: WriterConnection = isPod
    ? { kind: "inCluster" }
    : { kind: "context", context: site.context, kubeconfig: site.kubeconfig };
  state.controller = stack.use(
    Controller.start({
      api,
      connection: writer,
      lease: { namespace: options.leaseNamespace ?? api.defaultNamespace, name: options.leaseName ?? leaseName },
      identity: options.identity,
      namespace: options.namespace,
      objects: {
        get: (key) => watched.object(kubeKinds.release, nameOf(key)),
        keys: () =>
          watched.objects(kubeKinds.release).map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
        take: (object) => watched.take(object),
      },
      allows: options.allows,
      openMesh: (parts) => openMesh(parts, { options, connection, objects: watched, state }),
      onNote: options.onNote,
      onTrouble,
    }),
  );
  const running = stack.move();
  return {
    healthPort: health.port,
    webhookPort: state.webhook?.port,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/**
 * A kind that is not served when its watch would begin is not watched, and an installation may bring the Deployment
 * before the definition.
 */
async function whenServed(
  api: KubeApi,
  { stop, onTrouble }: Pick<RunControllerOptions, "stop" | "onTrouble">,
): Promise<void> {
  if (await api.serves(kubeKinds.release)) return;
  onTrouble("the API server does not serve Releases; waits for `kirikae schema --crd | kubectl apply -f -`");
  do await delay(retryMs, undefined, { signal: stop }).catch(() => undefined);
  while (!stop.aborted && !(await api.serves(kubeKinds.release)));
}

/** The webhook where one is asked for; every replica answers the API server. */
async function startAsked(
  { webhook, site, leaseNamespace, onTrouble }: RunControllerOptions,
  {
    api,
    objects,
    stack,
  }: { readonly api: KubeApi; readonly objects: WatchedSite; readonly stack: AsyncDisposableStack },
): Promise<Webhook | undefined> {
  if (webhook === undefined) return undefined;
  const namespace = leaseNamespace ?? api.defaultNamespace;
  const { istioNamespace } = site;
  return stack.use(await startSiteWebhook({ ...webhook, api, objects, istioNamespace, namespace, onNote: onTrouble }));
}

interface ControllerState {
  controller: Controller | undefined;
  /** While it leads. */
  mesh: { takeChanges(): void } | undefined;
  webhook: Webhook | undefined;
}

async function connect({ site }: RunControllerOptions, env: NodeJS.ProcessEnv, isPod: boolean): Promise<KubeApi> {
  return isPod
    ? await connectInCluster({ env })
    : await connectKube({ context: site.context, kubeconfig: site.kubeconfig, env });
}

function buildConnection(
  { site, namespace }: RunControllerOptions,
  api: KubeApi,
  stack: AsyncDisposableStack,
): SiteConnection {
  const reach = stack.use(createPodReach({ api, direct: site.proxyAdmins }));
  return {
    options: { ...site, context: api.context, namespace },
    api,
    reach,
    istiods: () => locateIstiods({ api, reach, namespace: site.istioNamespace, urls: site.istiods }),
    namespaces: [namespace ?? api.defaultNamespace],
  };
}

function namespacesOf({ namespace, site }: RunControllerOptions): readonly string[] | undefined {
  return namespace === undefined ? undefined : [...new Set([namespace, site.istioNamespace])];
}

function nameOf(key: string): { readonly namespace: string; readonly name: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}

type MeshParts = Parameters<ControllerOptions["openMesh"]>[0];

interface MeshSurroundings {
  readonly options: RunControllerOptions;
  readonly connection: SiteConnection;
  readonly objects: WatchedSite;
  readonly state: ControllerState;
}

/** The engine of the cluster for one term of leadership. */
async function openMesh(
  { api, journal, onRelease, over }: MeshParts,
  { options, connection, objects, state }: MeshSurroundings,
): Promise<OpenedMesh> {
  await using stack = new AsyncDisposableStack();
  if (state.webhook !== undefined) keepCertificate(state.webhook, stack);
  const { runtime, engine, mesh } = assembleSite(
    {
      connection: { ...connection, api },
      objects,
      journal,
      actor: `kirikae controller`,
      allowsCommands: options.allows.commands,
      isConfined: !options.allows.otherNamespaces,
      folder: process.cwd(),
      onEvent: (event) => tellEvent(event, options),
    },
    stack,
  );
  stack.use(runtime.subscribe((event) => (event.event === "release" ? onRelease(event.release.release) : undefined)));
  stack.defer(() => (state.mesh = undefined));
  state.mesh = runtime;
  const running = stack.move();
  return {
    releases: runtime.releases,
    writtenBy: (splits) => findWrittenObjects(mesh.table, splits),
    async resume() {
      // Nothing else is moved before what broke off has its end, however long the API server or a proxy takes.
      for (;;) {
        try {
          const splits = splitsOf(mesh.table);
          for (const { id, virtualService, message } of await engine.recover((split) => splits.has(split))) {
            options.onNote(`${id} of ${virtualService}: ${message}`);
          }
          break;
        } catch (error) {
          if (over.aborted) throw error;
          options.onTrouble(`what broke off cannot be ended yet: ${errorText(error)}`);
          await delay(retryMs, undefined, { signal: over }).catch(() => undefined);
        }
      }
      if (!over.aborted) runtime.releases.resume();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The replica that leads keeps the webhook's certificate, for as long as it does. */
function keepCertificate(webhook: Webhook, stack: AsyncDisposableStack): void {
  const term = new AbortController();
  const kept = webhook.lead(term.signal);
  stack.defer(async () => {
    term.abort();
    await kept;
  });
}

function tellEvent(event: UpEvent, { onNote, onTrouble }: RunControllerOptions): void {
  if (event.kind === "warning") onTrouble(event.message);
  else if (event.kind === "notice") onNote(event.line);
  else if (event.kind === "progress") onNote(event.message);
}

/** Takes changes together that come within a short time. */
class GatheredChanges implements Disposable {
  readonly #take: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(take: () => void) {
    this.#take = take;
  }

  add(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#take();
    }, gatherMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

function describeHealth(
  { controller, webhook }: ControllerState,
  objects: WatchedSite | undefined,
): {
  readonly isReady: boolean;
  readonly text: string;
  readonly figures: Readonly<Record<string, number>>;
} {
  const isCurrent = controller !== undefined && objects !== undefined && !objects.isStale(staleMs);
  const isReady = isCurrent && webhook?.isReady !== false;
  const role = controller?.isWorking === true ? "leads" : `waits; ${controller?.leader ?? "nobody"} leads`;
  const releases = objects?.objects(kubeKinds.release).length ?? 0;
  return {
    isReady,
    text: isReady ? role : whyNotReady(isCurrent),
    figures: {
      kirikae_controller_leads: controller?.isWorking === true ? 1 : 0,
      kirikae_controller_ready: isReady ? 1 : 0,
      kirikae_releases: releases,
    },
  };
}

function whyNotReady(isCurrent: boolean): string {
  return isCurrent ? "the webhook has no certificate yet" : "the objects of the cluster are not current";
}
