import { isSameSubset, type SubsetDefinition, type SubsetEdit } from "../../src/core/release/subset/subset-edit.ts";
import { KirikaeError } from "../../src/core/diagnostics/error.ts";
import type { SplitId, SplitWeights } from "../../src/core/routes/route-table.ts";
import { destinationOf, type KnownSubsets, type ServiceName, serviceNames } from "./model-releases.ts";

type Live = readonly (readonly [SplitId, SplitWeights])[];

/** The DestinationRules of the model's services, and what must never happen to them. */
export class ModelSubsets {
  readonly broken: string[] = [];
  readonly #rules = new Map<ServiceName, readonly SubsetDefinition[]>(
    serviceNames.map((name) => [name, [subset("blue"), subset("green")]]),
  );
  /** What people have taken away, to be put back when all is to be well. */
  readonly #dropped = new Map<string, { readonly service: ServiceName; readonly definition: SubsetDefinition }>();

  get known(): KnownSubsets {
    const sets = serviceNames.map((name) => [name, new Set(this.of(name).map((each) => each.name))]);
    return Object.fromEntries(sets) as KnownSubsets;
  }

  of(service: ServiceName): readonly SubsetDefinition[] {
    return this.#rules.get(service) ?? [];
  }

  find(name: string): { readonly host: string; readonly subsets: readonly SubsetDefinition[] } | undefined {
    const service = serviceNames.find((each) => `shop/${each}` === name);
    if (service === undefined) return undefined;
    return { host: `${service}.shop.svc.cluster.local`, subsets: this.of(service) };
  }

  /** Carries out what a release wants, as a cluster does: twice is once, and what is somebody else's stops it. */
  edit({ destinationRule, add, remove }: SubsetEdit, live: Live): void {
    const service = serviceNames.find((each) => `shop/${each}` === destinationRule);
    if (service === undefined) throw new Error(`There is no DestinationRule ${destinationRule}.`);
    const now = this.of(service);
    for (const one of add) {
      const known = now.find(({ name }) => name === one.name);
      if (known === undefined || isSameSubset(known, one)) continue;
      throw new KirikaeError("KIR2062", `${one.name} is somebody else's.`, { exitStatus: 1, hint: "Rename it." });
    }
    const gone = new Set(remove.map(({ name }) => name));
    for (const name of gone) {
      const user = findUser(live, destinationOf(service, name));
      if (user !== undefined) this.broken.push(`${destinationRule} lost ${name}, to which ${user} still gives weight`);
    }
    const fresh = add.filter((one) => !now.some(({ name }) => name === one.name));
    this.#rules.set(service, [...now.filter(({ name }) => !gone.has(name)), ...fresh]);
  }

  /** Somebody makes a subset of their own, with settings that no release has. */
  put(service: ServiceName, name: string): boolean {
    if (this.of(service).some((each) => each.name === name)) return false;
    this.#rules.set(service, [...this.of(service), { ...subset(name), trafficPolicy: { tls: { mode: "DISABLE" } } }]);
    return true;
  }

  /** Somebody takes a subset away that nobody uses. */
  drop(service: ServiceName, { name, live }: { readonly name: string; readonly live: Live }): boolean {
    const definition = this.of(service).find((each) => each.name === name);
    if (definition === undefined || findUser(live, destinationOf(service, name)) !== undefined) return false;
    this.#rules.set(
      service,
      this.of(service).filter((each) => each !== definition),
    );
    this.#dropped.set(`${service} ${name}`, { service, definition });
    return true;
  }

  /** People put back what they have taken away; where they did is returned. */
  heal(): ReadonlySet<ServiceName> {
    const healed = new Set<ServiceName>();
    for (const { service, definition } of this.#dropped.values()) {
      if (this.of(service).some(({ name }) => name === definition.name)) continue;
      this.#rules.set(service, [...this.of(service), definition]);
      healed.add(service);
    }
    this.#dropped.clear();
    return healed;
  }

  /** Weights that lead to a subset that is not there. */
  findLost(live: Live): readonly string[] {
    const there = new Set(
      serviceNames.flatMap((service) => this.of(service).map(({ name }) => destinationOf(service, name))),
    );
    return live.flatMap(([split, weights]) =>
      Object.entries(weights)
        .filter(([destination, weight]) => weight > 0 && !there.has(destination))
        .map(([destination]) => `${split} gives weight to ${destination}, whose subset is not there`),
    );
  }
}

function subset(name: string): SubsetDefinition {
  return { name, labels: { version: name }, ...(name === "blue" && { trafficPolicy: { connectionPool: {} } }) };
}

function findUser(live: Live, destination: string): SplitId | undefined {
  return live.find(([, weights]) => (weights[destination] ?? 0) > 0)?.[0];
}
