import { expect, vi } from "vitest";
import type { HttpRouting, Listener, RouteTable, VirtualHost } from "../../../src/core/routes/route-table.ts";
import { upstreamAt, type Upstream } from "../../arbitrary/mesh-services.ts";
import { freePort, XdsFixture } from "../xds-fixture.ts";

/** How large routings are given to Envoy; see `route-forms.ts`. */
export type Form = "whole" | "scoped";

/** A real Envoy that serves one table after another, and where its listeners are on this machine. */
export class ServedWorld implements AsyncDisposable {
  readonly form: Form;
  readonly #fixture: XdsFixture;
  readonly #upstreams: ReadonlyMap<Upstream, number>;
  readonly #ports = new Map<string, number>();

  private constructor(form: Form, fixture: XdsFixture, upstreams: ReadonlyMap<Upstream, number>) {
    this.form = form;
    this.#fixture = fixture;
    this.#upstreams = upstreams;
  }

  static async start(form: Form, upstreams: ReadonlyMap<Upstream, number>): Promise<ServedWorld> {
    const fixture = await XdsFixture.open();
    const world = new ServedWorld(form, fixture, upstreams);
    const target = await fixture.startTarget({
      bind: (listener) => ({ address: "127.0.0.1", port: world.portOf(listener) }),
      drainMs: 0,
    });
    await fixture.startEnvoy("envoy-1", { concurrency: 1 });
    await vi.waitUntil(() => target.status()[0]?.connected === true, { timeout: 20_000 });
    return world;
  }

  /** @throws where Envoy does not take the table. */
  async serve(table: RouteTable): Promise<void> {
    for (const { id } of table.listeners) if (!this.#ports.has(id)) this.#ports.set(id, await freePort());
    const placed = this.#place(this.form === "scoped" ? withCrowds(table) : table);
    const report = await this.#fixture.target.applyTable(placed, new Map());
    if (report.kind === "applied") return;
    // A port that was free may be somebody's by now.
    if (!JSON.stringify(report).includes("in use"))
      throw new Error(`Envoy does not take it: ${JSON.stringify(report)}`);
    this.#ports.clear();
    for (const { id } of table.listeners) this.#ports.set(id, await freePort());
    expect(await this.#fixture.target.applyTable(placed, new Map())).toMatchObject({ kind: "applied" });
  }

  portOf({ id }: Pick<Listener, "id">): number {
    const port = this.#ports.get(id);
    if (port === undefined) throw new Error(`no port for ${id}`);
    return port;
  }

  /** Replaces what manifests say by what is so on this machine, in a Host header. */
  locate(text: string): string {
    return text.replaceAll(/\b127\.0\.0\.1:(\d+)/g, (whole, port: string) => {
      const upstream = upstreamAt(Number(port));
      return upstream === undefined ? whole : `127.0.0.1:${this.#upstreams.get(upstream) ?? 0}`;
    });
  }

  #place(table: RouteTable): RouteTable {
    const destinations = [...table.destinations].map(([id, destination]) => {
      const endpoints = destination.endpoints.map((endpoint) => {
        const upstream = endpoint.kind === "address" ? upstreamAt(endpoint.port) : undefined;
        return upstream === undefined ? endpoint : { ...endpoint, port: this.#upstreams.get(upstream) ?? 0 };
      });
      return [id, { ...destination, endpoints }] as const;
    });
    return { ...table, destinations: new Map(destinations) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#fixture[Symbol.asyncDispose]();
  }
}

/** More virtual hosts than a whole route configuration is made for; nobody asks for them. */
const crowd: readonly VirtualHost[] = Array.from({ length: 400 }, (_, index) => ({
  domain: `crowd-${index}.invalid`,
  requiresHttps: false,
  routes: [],
}));

function withCrowds(table: RouteTable): RouteTable {
  const httpRoutings = table.httpRoutings.map((routing): HttpRouting =>
    routing.matchesPorts === true ? routing : { ...routing, virtualHosts: [...routing.virtualHosts, ...crowd] },
  );
  return { ...table, httpRoutings };
}
