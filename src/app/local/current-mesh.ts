import type { ServiceDescription } from "../../core/release/move/describe-service.ts";
import { describeServices, describeServicesOf } from "../../core/release/move/describe-services.ts";
import type { MovePlan, MoveRequest } from "../../core/release/move/move.ts";
import { reconcilePlacements } from "../../core/release/move/reconcile-placements.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type {
  DestinationId,
  RouteTable,
  SplitId,
  SplitWeights,
  WeightOverrides,
} from "../../core/routes/route-table.ts";
import type { Engine } from "../../engine/engine.ts";
import type { GatewayPorts } from "../../local/ports.ts";
import type { LocalEnvoyTarget } from "../../targets/local-envoy/local-envoy-target.ts";
import type { MeshModel } from "../../core/mesh-model.ts";
import type { LiveMesh } from "../live-mesh.ts";
import { planOnMesh } from "../plan-on-mesh.ts";

/** What runs now: the manifests that were applied last, and where their listeners are on this machine. */
export class CurrentMesh implements LiveMesh {
  readonly #engine: Engine;
  model: MeshModel;
  ports: GatewayPorts;
  /** What releases have laid over the routes that proxies have. */
  laid: readonly OwnedAddition[];

  constructor(engine: Engine, { model, ports, laid }: Pick<CurrentMesh, "model" | "ports" | "laid">) {
    this.#engine = engine;
    this.model = model;
    this.ports = ports;
    this.laid = laid;
  }

  get table(): RouteTable {
    return this.model.table;
  }

  placements(): WeightOverrides {
    return this.#engine.placements();
  }

  /** Throws the KirikaeError of the refusal for a request that cannot be carried out. */
  plan(request: MoveRequest): MovePlan {
    return planOnMesh(this, request, this.#engine.pastMoves());
  }

  /** Every VirtualService that is routed. */
  services(): readonly ServiceDescription[] {
    return describeServices(this.table, this.placements());
  }

  /** Those that can send to one of these destinations. */
  servicesOf(destinations: Iterable<DestinationId>): readonly ServiceDescription[] {
    return describeServicesOf(this.table, { current: this.placements(), destinations });
  }
}

/** The weights that new manifests begin with, and whose earlier moves they take the place of. */
export interface TakenOver {
  readonly weights: WeightOverrides;
  readonly notes: readonly string[];
  /**
   * Journals the overrides, once the manifests are live. The saved file is the intent, so a crash in between loses
   * nothing: the next start compares the same file with the same placements and comes to the same end. A manifest that
   * a proxy refused leaves no record, and the moves before it stay.
   */
  record(): void;
}

/** Lays the weights of earlier moves over new manifests; an edit of the declared weights takes their place. */
export function takeOverPlacements(engine: Engine, table: RouteTable, actor: string): TakenOver {
  const { kept, overridden } = reconcilePlacements(table, engine.placed());
  return {
    weights: kept,
    notes: overridden.map(({ virtualService, why }) => `${virtualService} goes by its manifest again: ${why}`),
    record() {
      for (const override of overridden) engine.recordManifest(override, actor);
    },
  };
}

/**
 * The weights of moves that a dead process left without an end, as the proxies show them now: the first push has to
 * keep them, so that it is the recovery that decides.
 */
export async function observeUnfinished(engine: Engine, target: LocalEnvoyTarget): Promise<WeightOverrides> {
  const changes = engine.unfinished().flatMap((plan) => plan.changes);
  const seen = await target.observe(changes.map(({ split }) => split));
  const shown = new Map(seen.map(({ split, weights }) => [split, weights]));
  const weights = new Map<SplitId, SplitWeights>();
  for (const { split, before } of changes) weights.set(split, shown.get(split) ?? before);
  return weights;
}
