import type { LocalEnvoyOptions } from "../../src/targets/local-envoy/local-envoy-target.ts";
import { chainTable, type TableSketch } from "./chain-table.ts";
import { freePort, XdsFixture } from "./xds-fixture.ts";

/** An Envoy that serves a table, with each listener on a free port of this machine. */
export interface ServedTable extends AsyncDisposable {
  readonly fixture: XdsFixture;
  /** Where a port of the table is on this machine. */
  local(port: number): number;
  /** Serves another table on the same ports; throws unless it is taken. */
  change(sketch: TableSketch): Promise<void>;
}

export async function serveTable(sketch: TableSketch, options: Partial<LocalEnvoyOptions> = {}): Promise<ServedTable> {
  const ports = new Map<number, number>();
  for (const { port } of sketch.listeners) ports.set(port, await freePort());
  const local = (port: number): number => {
    const found = ports.get(port);
    if (found === undefined) throw new Error(`the table has no port ${port}`);
    return found;
  };
  const fixture = await XdsFixture.open();
  const target = await fixture.startTarget({
    bind: ({ port }) => ({ address: "127.0.0.1", port: local(port) }),
    drainMs: 100,
    ...options,
  });
  await target.applyTable(chainTable(sketch), new Map());
  await fixture.startEnvoy();
  expectApplied(await target.confirm({ timeoutMs: 30_000 }));
  return {
    fixture,
    local,
    change: async (next) => expectApplied(await target.applyTable(chainTable(next), new Map())),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

function expectApplied(report: { readonly kind: string }): void {
  if (report.kind !== "applied") throw new Error(`the table was not taken: ${JSON.stringify(report)}`);
}
