import type { Diagnostic } from "../../../core/diagnostics/diagnostic.ts";
import type { ReleaseSpec } from "../../../core/manifest/release.ts";
import type { PlannedSites } from "../../../core/release/plan/plan-release.ts";
import type { SourceText } from "../../../core/manifest/manifest.ts";
import { type MeshModel, MeshModelBuilder, type ModelOptions, type ServableModel } from "../../../core/mesh-model.ts";
import type { ServiceDescription } from "../../../core/release/move/describe-service.ts";
import { describeServices, describeServicesOf } from "../../../core/release/move/describe-services.ts";
import type { EndpointCounts } from "../../../core/release/move/limit-return.ts";
import type { MovePlan, MoveRequest } from "../../../core/release/move/move.ts";
import type { PastMove } from "../../../core/release/move/past-move.ts";
import type {
  DestinationId,
  RouteTable,
  SplitId,
  SplitWeights,
  WeightOverrides,
} from "../../../core/routes/route-table.ts";
import { findUnservedInMesh } from "../../../core/routes/unserved-in-mesh.ts";
import { splitsOf, weightsOf } from "../../../core/routes/weights.ts";
import { ownRouteNames } from "../../../core/site/own-route-names.ts";
import { renderSiteSource } from "../../../core/site/render-site-source.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../../kubernetes/kube-object.ts";
import type { SiteView } from "../../../targets/istio/site-view.ts";
import { planOnMesh } from "../../plan-on-mesh.ts";
import type { MovedRoutes } from "./moved-site.ts";
import { countSiteEndpoints, type CountUnready, createUnreadyCount } from "./site-endpoints.ts";
import { planForSite, withPlannedSubsets } from "./planned-site.ts";
import { assumeSecrets, isAboutSecret } from "./assumed-secrets.ts";
import { ListedSidecars } from "./listed-sidecars.ts";
import { meshKinds } from "../objects/site-kinds.ts";
import type { SiteObjects } from "../objects/site-objects.ts";

export interface SiteMeshOptions {
  /** The context of the kubeconfig. */
  readonly context: string;
  readonly objects: SiteObjects;
  /** The namespace of names that name none. */
  readonly defaultNamespace: string;
  readonly istioNamespace: string;
}

interface Servable {
  readonly model: ServableModel;
  readonly sources: readonly SourceText[];
  readonly options: ModelOptions;
}

/**
 * The routes of a site as its objects say them now. Its table has the live weights as the declared ones, so nothing is
 * laid over it: who edits an object has changed what is live, and the next plan begins there.
 */
export class SiteMesh implements MovedRoutes, SiteView {
  readonly #options: SiteMeshOptions;
  readonly #builder = new MeshModelBuilder();
  /** Of tables with subsets that are not there yet. */
  readonly #planned = new MeshModelBuilder();
  readonly #sidecars = new ListedSidecars();
  readonly #sources = new WeakMap<KubeObject, SourceText>();
  /** What routes are made of; whether they are right in every other way takes longer, and is asked for by `check` alone. */
  #servable: Servable | undefined;
  /** Names of the routes that kirikae has laid, which are not in the table; undefined before they were looked for. */
  #laid: string | undefined;
  #model: MeshModel | undefined;
  #splits: { readonly table: RouteTable; readonly splits: ReturnType<typeof splitsOf> } | undefined;

  constructor(options: SiteMeshOptions) {
    this.#options = options;
  }

  /** What the objects were when it was built last, with everything that is wrong with them; `refresh` builds it anew. */
  get model(): MeshModel {
    this.#model ??= this.#check(this.#serve());
    return this.#model;
  }

  get table(): RouteTable {
    return this.#serve().model.table;
  }

  /** Takes what has changed in the objects since; true where that changed the routes. */
  refresh(): boolean {
    const before = this.#servable;
    const laidBefore = this.#laid;
    this.#servable = this.#read(this.#builder, (object) => object);
    this.#laid = listLaid(this);
    this.#model = undefined;
    return before === undefined || before.model.table !== this.#servable.model.table || laidBefore !== this.#laid;
  }

  /** Whether rules for callers inside the mesh are nobody's by the pods that are known. */
  get lacksSidecars(): boolean {
    const { mesh, table } = this.#serve().model;
    return !this.#sidecars.isEmpty || findUnservedInMesh(mesh, table).length > 0;
  }

  /**
   * Takes the sidecars that istiod lists, `pod.namespace`, for those that are there; true where that changed the routes.
   */
  tellSidecars(ids: ReadonlySet<string>): boolean {
    return this.#sidecars.replace(ids) && this.refresh();
  }

  placements(): WeightOverrides {
    return new Map();
  }

  get sites(): PlannedSites {
    return planForSite(this.#options.context, this);
  }

  tableFor(spec: ReleaseSpec): RouteTable {
    if (spec.subsets === undefined || spec.subsets.every(({ add }) => add.length === 0)) return this.table;
    return this.#read(this.#planned, (object) => withPlannedSubsets(object, spec)).model.table;
  }

  services(): readonly ServiceDescription[] {
    return describeServices(this.table, this.placements());
  }

  servicesOf(destinations: Iterable<DestinationId>): readonly ServiceDescription[] {
    return describeServicesOf(this.table, { current: this.placements(), destinations });
  }

  /** Throws the KirikaeError of the refusal for a request that cannot be carried out. */
  plan(request: MoveRequest, history: readonly PastMove[]): MovePlan {
    return planOnMesh(this, request, history);
  }

  /** What is live of a rule; undefined where there is none. */
  weights(split: SplitId): SplitWeights | undefined {
    const { table } = this;
    if (this.#splits?.table !== table) this.#splits = { table, splits: splitsOf(table) };
    const found = this.#splits.splits.get(split);
    return found === undefined ? undefined : weightsOf(found);
  }

  countEndpoints(ids: Iterable<DestinationId>): EndpointCounts {
    return countSiteEndpoints(this, ids);
  }

  createUnreadyCount(): CountUnready {
    return createUnreadyCount(this);
  }

  objects(kind: KubeKind): readonly KubeObject[] {
    return this.#options.objects.objects(kind);
  }

  object(kind: KubeKind, name: ObjectName): KubeObject | undefined {
    return this.#options.objects.object(kind, name);
  }

  take(object: KubeObject): void {
    this.#options.objects.take(object);
    this.refresh();
  }

  #serve(): Servable {
    this.#servable ??= this.#read(this.#builder, (object) => object);
    return this.#servable;
  }

  #check({ model: servable, sources, options }: Servable): MeshModel {
    const model = this.#builder.finish(servable, sources, options);
    return { ...model, diagnostics: model.diagnostics.filter((found) => !isAboutSecret(found) && !isOfLaptop(found)) };
  }

  #read(builder: MeshModelBuilder, change: (object: KubeObject) => KubeObject): Servable {
    const sources = this.sources(change);
    const options = { defaultNamespace: this.#options.defaultNamespace, nowMs: Date.now(), checksLater: true };
    return { model: builder.buildServable(sources, options), sources, options };
  }

  /** The objects as texts, in a stable order. */
  sources(change: (object: KubeObject) => KubeObject = (object) => object): readonly SourceText[] {
    const kinds = [...meshKinds, kubeKinds.configMap];
    const objects = kinds.flatMap((kind) => this.#listed(kind).toSorted(byName));
    const written = objects.map((object) => this.#render(change(object)));
    return [...written, ...assumeSecrets(this, this.#options.istioNamespace)];
  }

  #listed(kind: KubeKind): readonly KubeObject[] {
    const objects = this.objects(kind);
    return kind === kubeKinds.pod ? this.#sidecars.complete(objects) : objects;
  }

  #render(object: KubeObject): SourceText {
    const known = this.#sources.get(object);
    if (known !== undefined) return known;
    const { kind, metadata } = object;
    const name = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
    const source: SourceText = { text: renderSiteSource(object).text, path: `${kind} ${name}`, isObject: true };
    this.#sources.set(object, source);
    return source;
  }
}

function listLaid(mesh: Pick<SiteMesh, "objects">): string {
  return mesh
    .objects(kubeKinds.virtualService)
    .flatMap((object) =>
      ownRouteNames(object).map((name) => `${object.metadata.namespace}/${object.metadata.name} ${name}`),
    )
    .toSorted()
    .join("\n");
}

/** Lists and watches give objects in no order. */
function byName({ metadata: one }: KubeObject, { metadata: other }: KubeObject): number {
  const [left, right] = [`${one.namespace ?? ""}/${one.name}`, `${other.namespace ?? ""}/${other.name}`];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** KIR1035: that no process of this machine stands for a pod. */
function isOfLaptop({ code }: Diagnostic): boolean {
  return code === "KIR1035";
}
