import { Controller, type ControllerOptions } from "../../controller/controller.ts";
import { HealthServer } from "../../controller/health-server.ts";
import type { ReleaseObjects } from "../../controller/reconcile/release-objects.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import { leaseName } from "../../kubernetes/needed-access.ts";
import { limitAddresses } from "../../local/limit-addresses.ts";
import type { Webhook } from "../../webhook/start-webhook.ts";
import { connectController, type ControllerPlace, watchedPlaces } from "./controller/connect-controller.ts";
import { type ControllerState, describeHealth } from "./controller/controller-state.ts";
import { GatheredChanges } from "./controller/gathered-changes.ts";
import { untilReleasesAreServed } from "./controller/until-releases-are-served.ts";
import { WatchedObjects } from "./objects/watched-objects.ts";
import { openControlledMesh } from "./open-controlled-mesh.ts";
import { type SiteWebhookOptions, startSiteWebhook } from "./site-webhook.ts";

export interface RunControllerOptions extends ControllerPlace {
  readonly leaseNamespace: string | undefined;
  /** kirikae unless given. */
  readonly leaseName: string | undefined;
  readonly identity: string;
  /** 0 takes a free one; undefined serves none. */
  readonly healthPort: number | undefined;
  /** Undefined checks no objects. */
  readonly webhook: Pick<SiteWebhookOptions, "port" | "failure" | "files"> | undefined;
  readonly allows: Omit<ControllerOptions["allows"], "checkAddress"> & {
    /** `host` or `host:port` that judges and notifications may ask wherever it is, also on this machine. */
    readonly judgeHosts: readonly string[];
  };
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

/**
 * Runs what drives the Releases of a cluster, until it is disposed of. Resolves when the objects of the cluster are seen.
 * @throws KirikaeError where the cluster cannot be reached or read
 */
export async function runController(options: RunControllerOptions, env: NodeJS.ProcessEnv): Promise<RunningController> {
  await using stack = new AsyncDisposableStack();
  const { onNote, onTrouble } = options;
  const { api, connection, writer } = await connectController(options, env, stack);
  const state: ControllerState = { controller: undefined, mesh: undefined, webhook: undefined };
  let seen: WatchedObjects | undefined;
  const health = stack.use(await HealthServer.start(options.healthPort, () => describeHealth(state, seen)));
  await untilReleasesAreServed(api, options);
  const objects = await watch(options, { api, state, stack });
  seen = objects;
  state.webhook = await startAsked(options, { api, objects, stack });
  const addresses = limitAddresses({ allowed: options.allows.judgeHosts });
  const allows = { ...options.allows, checkAddress: (url: URL) => void addresses(url) };
  state.controller = stack.use(
    Controller.start({
      api,
      connection: writer,
      lease: { namespace: options.leaseNamespace ?? api.defaultNamespace, name: options.leaseName ?? leaseName },
      identity: options.identity,
      namespace: options.namespace,
      objects: releasesOf(objects),
      allows,
      openMesh: (term) =>
        openControlledMesh(term, { connection, objects, state, allows, addresses, onNote, onTrouble }),
      onNote,
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

interface Surroundings {
  readonly api: KubeApi;
  readonly stack: AsyncDisposableStack;
}

/** Keeps the objects of the cluster, and tells whatever runs of what changes. */
async function watch(
  options: RunControllerOptions,
  { api, state, stack }: Surroundings & { readonly state: ControllerState },
): Promise<WatchedObjects> {
  const taking = stack.use(new GatheredChanges(() => state.mesh?.takeChanges()));
  const watched = await WatchedObjects.start({
    api,
    istioNamespace: options.site.istioNamespace,
    ...watchedPlaces(options),
    onChange(changes) {
      for (const { kind, name } of changes) if (kind === kubeKinds.release) state.controller?.releaseChanged(name);
      if (changes.every(({ kind }) => kind === kubeKinds.release)) return;
      taking.add();
      state.controller?.meshChanged();
    },
    onTrouble: (trouble) =>
      options.onTrouble(trouble.kind === "lost" ? trouble.error.message : "the API server answers again"),
  });
  return stack.use(watched);
}

/** The webhook where one is asked for; every replica answers the API server. */
async function startAsked(
  { webhook, site, leaseNamespace, onTrouble }: RunControllerOptions,
  { api, objects, stack }: Surroundings & { readonly objects: WatchedObjects },
): Promise<Webhook | undefined> {
  if (webhook === undefined) return undefined;
  const namespace = leaseNamespace ?? api.defaultNamespace;
  const { istioNamespace } = site;
  return stack.use(await startSiteWebhook({ ...webhook, api, objects, istioNamespace, namespace, onNote: onTrouble }));
}

function releasesOf(objects: WatchedObjects): ReleaseObjects {
  return {
    get(key) {
      const [namespace = "", name = ""] = key.split("/");
      return objects.object(kubeKinds.release, { namespace, name });
    },
    keys: () =>
      objects.objects(kubeKinds.release).map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
    take: (object) => objects.take(object),
  };
}
