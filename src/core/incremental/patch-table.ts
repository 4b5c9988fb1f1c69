import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { type Manifest, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { buildRouteTable } from "../routes/build-route-table.ts";
import type { Destination, DestinationId, RouteTable, VirtualHost } from "../routes/route-table.ts";
import type { ChangedRules } from "./changed-rules.ts";
import { isDeepEqual } from "./deep-equal.ts";
import { countNamed, indexHosts, namedByHost } from "./named-in-table.ts";
import { RuleNeighbours } from "./rule-neighbours.ts";

/** A route table with the mesh that it was built from, and what was found on the way. */
export interface BuiltTable {
  readonly mesh: Mesh;
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Changes a table where rules of a few VirtualServices changed. It builds a table of the same mesh with only those
 * VirtualServices that share hosts with them, by the builder that builds every table, and takes over the virtual hosts of
 * these hosts. That is the same as building all anew, because a virtual host is made of the VirtualServices that name its
 * host; whatever could make it different ends the attempt, and then all is built anew.
 */
export class TablePatcher {
  #built: BuiltTable;
  readonly #neighbours: RuleNeighbours;
  readonly #counts: Map<DestinationId, number>;
  readonly #positions: readonly ReadonlyMap<string, number>[];
  readonly #places: MeshPlaces;
  /** What is no VirtualService, which does not change here. */
  readonly #others: readonly Manifest[];

  private constructor(built: BuiltTable) {
    this.#built = built;
    this.#neighbours = new RuleNeighbours(built.mesh.virtualServices, built.mesh.gateways);
    this.#counts = countNamed(built.table);
    this.#positions = built.table.httpRoutings.map(indexHosts);
    this.#places = {
      virtualServices: indexByName(built.mesh.virtualServices),
      manifests: indexByName(built.mesh.manifests),
    };
    this.#others = built.mesh.manifests.filter(({ kind }) => kind !== "VirtualService");
  }

  /** Undefined for a table whose parts depend on each other in more ways. */
  static of(built: BuiltTable): TablePatcher | undefined {
    const { mesh, table } = built;
    // A sidecar's routes are made of the gateways' too, and a delegate's rules stand in other VirtualServices.
    const hasSidecars = [...table.proxies.values()].some(({ kind }) => kind !== "gateway");
    const hasDelegates = mesh.virtualServices.some(({ spec }) => spec.hosts.length === 0);
    return hasSidecars || hasDelegates ? undefined : new TablePatcher(built);
  }

  /** The table with the changed rules; undefined, and nothing changed, where it has to be built anew. */
  patch(changes: readonly ChangedRules[]): BuiltTable | undefined {
    if (changes.length === 0) return this.#built;
    const mesh = replaceRules(this.#built.mesh, changes, this.#places);
    const positions = this.#neighbours.of(changes.map(({ after }) => after));
    if (mesh === undefined || positions === undefined) return undefined;
    const old = this.#buildPart(this.#built.mesh, positions);
    const part = this.#buildPart(mesh, positions);
    const names = new Set(changes.map(({ after }) => resourceName(after)));
    const domains = new Set(changes.flatMap(({ after }) => this.#neighbours.domainsOf(after)));
    if (!isSameAround(old, part, { names, domains })) return undefined;
    const diagnostics = replaceFindings(this.#built.diagnostics, part.diagnostics, names);
    const hosts = this.#replacedHosts(part.table, domains);
    if (diagnostics === undefined || hosts === undefined) return undefined;
    const counts = this.#countChanges(hosts);
    const destinations = this.#changeDestinations(part.table, counts);
    if (destinations === undefined) return undefined;
    for (const [id, count] of counts) {
      if (count === 0) this.#counts.delete(id);
      else this.#counts.set(id, count);
    }
    const table = { ...this.#built.table, httpRoutings: this.#replaceHosts(hosts), destinations };
    this.#built = { mesh, table, diagnostics };
    return this.#built;
  }

  /** A table of some VirtualServices alone. */
  #buildPart(mesh: Mesh, positions: readonly number[]): BuiltPart {
    const virtualServices = positions.flatMap((position) => mesh.virtualServices[position] ?? []);
    return buildRouteTable({ ...mesh, manifests: this.#others, virtualServices });
  }

  /** By routing, then by position; undefined where a host would come or go. */
  #replacedHosts(part: RouteTable, domains: ReadonlySet<string>): readonly ReplacedHost[] | undefined {
    const routings = new Map(part.httpRoutings.map((routing) => [routing.id, routing]));
    const replaced: ReplacedHost[] = [];
    for (const [at, routing] of this.#built.table.httpRoutings.entries()) {
      const built = new Map(routings.get(routing.id)?.virtualHosts.map((host) => [host.domain, host]));
      for (const domain of domains) {
        const position = this.#positions[at]?.get(domain);
        const before = position === undefined ? undefined : routing.virtualHosts[position];
        const after = built.get(domain);
        if (before === undefined && after === undefined) continue;
        if (position === undefined || before === undefined || after === undefined) return undefined;
        if (!isDeepEqual(before, after)) replaced.push({ routing: at, position, before, after });
      }
    }
    const known = new Set(this.#built.table.httpRoutings.map(({ id }) => id));
    return part.httpRoutings.every(({ id }) => known.has(id)) ? replaced : undefined;
  }

  #replaceHosts(replaced: readonly ReplacedHost[]): RouteTable["httpRoutings"] {
    const byRouting = Map.groupBy(replaced, ({ routing }) => routing);
    return this.#built.table.httpRoutings.map((routing, at) => {
      const hosts = byRouting.get(at);
      if (hosts === undefined) return routing;
      const virtualHosts = [...routing.virtualHosts];
      for (const { position, after } of hosts) virtualHosts[position] = after;
      return { ...routing, virtualHosts };
    });
  }

  /** How often the destinations are named, of which that changes. */
  #countChanges(replaced: readonly ReplacedHost[]): ReadonlyMap<DestinationId, number> {
    const counts = new Map<DestinationId, number>();
    const add = (host: VirtualHost, difference: number): void => {
      for (const id of namedByHost(host)) counts.set(id, (counts.get(id) ?? this.#counts.get(id) ?? 0) + difference);
    };
    for (const { before, after } of replaced) {
      add(after, 1);
      add(before, -1);
    }
    return counts;
  }

  /** Undefined where a destination is not what it was, which rules alone cannot bring about. */
  #changeDestinations(
    part: RouteTable,
    counts: ReadonlyMap<DestinationId, number>,
  ): RouteTable["destinations"] | undefined {
    const { destinations } = this.#built.table;
    const next = new Map<DestinationId, Destination | undefined>();
    for (const [id, count] of counts) {
      const before = destinations.get(id);
      const after = count === 0 ? undefined : (part.destinations.get(id) ?? before);
      if (before !== undefined && after !== undefined && !isDeepEqual(before, after)) return undefined;
      if ((before === undefined) !== (after === undefined)) next.set(id, after);
    }
    if (next.size === 0) return destinations;
    const changed = new Map(destinations);
    for (const [id, destination] of next) {
      if (destination === undefined) changed.delete(id);
      else changed.set(id, destination);
    }
    return changed;
  }
}

interface ReplacedHost {
  readonly routing: number;
  readonly position: number;
  readonly before: VirtualHost;
  readonly after: VirtualHost;
}

/** Where objects are in the lists of a mesh, by `Kind namespace/name`; good for as long as none comes or goes. */
interface MeshPlaces {
  readonly virtualServices: ReadonlyMap<string, number>;
  readonly manifests: ReadonlyMap<string, number>;
}

function indexByName(manifests: readonly Manifest[]): ReadonlyMap<string, number> {
  return new Map(manifests.map((manifest, index) => [resourceName(manifest), index]));
}

/** Undefined where a VirtualService that changed is none that counts. */
function replaceRules(mesh: Mesh, changes: readonly ChangedRules[], places: MeshPlaces): Mesh | undefined {
  const virtualServices: VirtualServiceManifest[] = [...mesh.virtualServices];
  const manifests = [...mesh.manifests];
  for (const { after } of changes) {
    const position = places.virtualServices.get(resourceName(after));
    const place = places.manifests.get(resourceName(after));
    if (position === undefined || place === undefined) return undefined;
    virtualServices[position] = after;
    manifests[place] = after;
  }
  return { ...mesh, virtualServices, manifests };
}

interface BuiltPart {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Whether the change of rules shows nowhere but in the virtual hosts of their domains, in the destinations that these
 * name, and in findings about the rules. If it does in a part, it does in the whole table.
 */
function isSameAround(
  before: BuiltPart,
  after: BuiltPart,
  { names, domains }: { readonly names: ReadonlySet<string>; readonly domains: ReadonlySet<string> },
): boolean {
  const around = ({ table, diagnostics }: BuiltPart): unknown => ({
    ...table,
    destinations: undefined,
    httpRoutings: table.httpRoutings.map((routing) => ({
      ...routing,
      virtualHosts: routing.virtualHosts.map((host) => (domains.has(host.domain) ? host.domain : host)),
    })),
    findings: diagnostics.filter(({ resource }) => resource === undefined || !names.has(resource)),
  });
  return isDeepEqual(around(before), around(after));
}

/**
 * Findings of the whole table, with those about the changed rules from the part. Undefined where some were cut: which
 * ones, depends on all of them.
 */
function replaceFindings(
  whole: readonly Diagnostic[],
  part: readonly Diagnostic[],
  names: ReadonlySet<string>,
): readonly Diagnostic[] | undefined {
  const isOwn = ({ resource }: Diagnostic): boolean => resource !== undefined && names.has(resource);
  if ([...whole, ...part].some(({ code }) => code === "KIR1011")) return undefined;
  return [...whole.filter((finding) => !isOwn(finding)), ...part.filter(isOwn)];
}
