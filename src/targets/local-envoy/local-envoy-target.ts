import type { EmitOptions } from "../../core/envoy/emit-envoy.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { MovePlan } from "../../core/release/move/move.ts";
import { nameDestination } from "../../core/routes/name-destination.ts";
import { type CountersByDestination, sumCounts } from "../../core/release/plan/count-versions.ts";
import type { DestinationId, RouteTable, SplitId, WeightOverrides } from "../../core/routes/route-table.ts";
import type {
  ApplyOptions,
  ApplyReport,
  LedgerSession,
  ObservedSplit,
  PreflightReport,
  ProxyStatus,
  Target,
} from "../../engine/ports.ts";
import { type ResourceType, resourceTypes } from "../../xds/resource-types.ts";
import { XdsServer } from "../../xds/server.ts";
import { readRuntimes } from "./adoption.ts";
import { LedgerBook } from "./ledger-session.ts";
import { type InboundReading, mergeInbound, readInbound } from "./inbound-stats.ts";
import { type LatencyByDestination, mergeLatencies, readLatencies } from "./destination-latency.ts";
import type { LocalProxy } from "./local-proxy.ts";
import { observeSplits } from "./observe-splits.ts";
import { checkDestinations, checkEach } from "./preflight.ts";
import { ProxySet } from "./proxy-set.ts";
import { renderProxyStatus } from "./proxy-status.ts";
import { PushedState } from "./pushed-state.ts";
import { removeRetired } from "./retirement.ts";
import { rewriteDelayMs, rewriteRoutes } from "./route-rewrite.ts";
import { checkWeights } from "./runtime-weights.ts";
import { type Settlement, waitForTypes } from "./settlement.ts";
import { type ProvedReport, pushTable, type TableReport } from "./table-push.ts";
import { readCheckedFigures } from "./checked-figures.ts";
import { type DestinationCounters, readDestinationCounters, sumCounters } from "./traffic-stats.ts";
import { proveRuntime } from "./weight-push.ts";

export interface LocalEnvoyOptions extends EmitOptions {
  /** The Unix socket that the proxies' bootstraps name as their control plane. */
  readonly xdsSocket: string;
  readonly proxies: readonly LocalProxy[];
  /** How long removed destinations are kept at least; 1 s where it is not given. */
  readonly drainMs?: number;
  /** How long they are kept at most while requests still use them; 60 s where it is not given. */
  readonly drainTimeoutMs?: number;
  /** How long after the last move the routes are rewritten to the same weights; see `rewriteDelayMs` in route-rewrite.ts. */
  readonly rewriteDelayMs?: number;
  /** How long an Envoy that ran before may take to say what it does; 5 s where it is not given. */
  readonly adoptionTimeoutMs?: number;
  /** Told what went wrong in the background: a rewrite or a removal that a proxy refused. */
  onTrouble?(message: string): void;
}

export interface ApplyTableOptions {
  /** 15 s where it is not given. */
  readonly timeoutMs?: number;
  /** Where the table's listeners and replicas are, from now on; those of the table before it where it is not given. */
  readonly addresses?: EmitOptions;
}

const defaultTableTimeoutMs = 15_000;
const ledgerTimeoutMs = 5_000;
const endpointTimeoutMs = 5_000;
const defaultAdoptionTimeoutMs = 5_000;
const readyTimeoutMs = 2_000;

/**
 * The Envoys of this machine. Weights are runtime values, so that a move costs the same with one route or 10,000;
 * everything else is an ordered push. Pushes go one at a time; none of them waits for a drain.
 */
export class LocalEnvoyTarget implements Target, AsyncDisposable {
  readonly name = "local-envoy";
  readonly #options: LocalEnvoyOptions;
  readonly #server: XdsServer;
  readonly #proxies: ProxySet;
  readonly #state: PushedState;
  readonly #ledgers: LedgerBook;
  #lastPush: Promise<unknown> = Promise.resolve();
  #rewriteTimer: NodeJS.Timeout | undefined;
  #draining: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  #hasAdopted = false;
  #isDisposed = false;

  private constructor(options: LocalEnvoyOptions, server: XdsServer, hooks: Hooks) {
    this.#options = options;
    this.#server = server;
    this.#proxies = new ProxySet(options.proxies);
    this.#state = new PushedState(server, options);
    this.#ledgers = new LedgerBook({
      proxies: this.#proxies,
      connected: () => server.connected,
      table: () => this.#state.table,
      setCounting: (isCounting) => this.#setCounting(isCounting),
    });
    hooks.onAccessLogs = (entries) => this.#ledgers.take(entries);
    hooks.onConnected = () => {
      this.#ledgers.noteStream();
      this.#bakeForNewcomer();
    };
  }

  /**
   * Begins to serve the proxies. Until the first `applyTable` they are told nothing, and one that ran before keeps what
   * it has.
   * @throws KirikaeError KIR3003 for a socket path that is too long.
   */
  static async start(options: LocalEnvoyOptions): Promise<LocalEnvoyTarget> {
    for (const path of [
      options.xdsSocket,
      ...options.proxies.flatMap((each) => [each.adminSocket, each.proofSocket]),
    ]) {
      if (Buffer.byteLength(path) > maxSocketPathBytes) {
        throw new KirikaeError("KIR3003", `The socket path ${path} is longer than ${maxSocketPathBytes} bytes.`, {
          exitStatus: 3,
          hint: "Let KIRIKAE_STATE name a folder with a shorter path.",
        });
      }
    }
    const hooks: Hooks = { onAccessLogs: () => undefined, onConnected: () => undefined };
    const server = await XdsServer.start({
      socketPath: options.xdsSocket,
      onAccessLogs: (entries) => hooks.onAccessLogs(entries),
      onConnected: () => hooks.onConnected(),
      onTrouble: (message) => options.onTrouble?.(message),
    });
    return new LocalEnvoyTarget(options, server, hooks);
  }

  /**
   * Replaces the whole table by an ordered push, with weights that differ from the declared ones. With no proxy
   * connected it is published for those that come; see `confirm`.
   * @param overrides undefined keeps the weights that are live when the push begins, those of moves under way included
   */
  applyTable(
    table: RouteTable,
    overrides: WeightOverrides | undefined,
    options: ApplyTableOptions = {},
  ): Promise<TableReport> {
    return this.#exclusively(async () => {
      this.#stopDraining();
      clearTimeout(this.#rewriteTimer);
      await this.#adopt();
      this.#state.isChangingTables = true;
      try {
        const push = {
          server: this.#server,
          state: this.#state,
          proxies: this.#proxies,
          emit: options.addresses ?? this.#state.emit,
          deadlineMs: performance.now() + (options.timeoutMs ?? defaultTableTimeoutMs),
        };
        return await pushTable(push, table, overrides ?? this.#state.wanted);
      } finally {
        this.#state.isChangingTables = false;
        this.#startDraining();
      }
    });
  }

  /** Waits until every proxy is connected, has everything, and every worker shows it. */
  confirm(options: ApplyOptions): Promise<ProvedReport> {
    const startMs = performance.now();
    const deadlineMs = startMs + options.timeoutMs;
    return this.#exclusively(async () => {
      for (const { node } of this.#proxies.all) {
        const settlement = await waitForTypes(this.#server, node, { types: resourceTypes, deadlineMs });
        if (settlement.kind === "refused") return { ...settlement, kind: "rejected", isRestored: false };
        if (settlement.kind === "waiting") {
          return { kind: "unproved", isRestored: false, message: `${node} has not taken all of its configuration` };
        }
      }
      const report = await this.#prove(startMs, deadlineMs);
      switch (report.kind) {
        case "proved":
          return { ...report, kind: "applied", encodeMs: 0 };
        case "rejected":
          return { ...report, isRestored: false };
        case "unproved":
          return { kind: "unproved", isRestored: false, message: report.message };
      }
    });
  }

  /** @throws KirikaeError KIR3001, KIR3002, KIR3005 for weights that cannot be applied; nothing has changed then. */
  apply(weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport> {
    const startMs = performance.now();
    return this.#exclusively(async () => {
      checkWeights(this.#state.splits, weights);
      const saved = this.#state.save();
      clearTimeout(this.#rewriteTimer);
      this.#state.publishWeights(weights);
      // Waiting behind a push of routes is no fault of the proxies, and weights that are live would be taken back for it.
      const report = await this.#prove(startMs, performance.now() + options.timeoutMs);
      if (report.kind === "rejected") this.#state.restore(saved);
      this.#scheduleRewrite();
      return report;
    });
  }

  async preflight(plan: MovePlan): Promise<PreflightReport> {
    const { table } = this.#state;
    if (table === undefined) throw noTable();
    // A move is about to come, and must not wait behind a rewrite.
    this.#scheduleRewrite();
    const proxies = await this.#checkProxies();
    const { ok, checks } = await checkDestinations(plan, table, this.#state.emit.endpoints);
    return { ok: ok && proxies.every(({ verdict }) => verdict === "pass"), checks: [...proxies, ...checks] };
  }

  /** Whether these destinations have ready endpoints that answer. Throws KIR3005 before the first `applyTable`. */
  async checkReady(destinations: readonly DestinationId[]): Promise<PreflightReport> {
    const { table } = this.#state;
    if (table === undefined) throw noTable();
    return await checkEach(
      destinations.map((id) => ({ id, version: nameDestination(id).subset ?? nameDestination(id).host })),
      { table, local: this.#state.emit.endpoints },
    );
  }

  /** Works before the first `applyTable` too, on an Envoy that ran before. */
  observe(splits: readonly SplitId[]): Promise<readonly ObservedSplit[]> {
    return observeSplits(this.#proxies, this.#state, splits);
  }

  /** @throws KirikaeError KIR3006 when not every proxy was seen to count; nothing has changed then. */
  openLedger(plan: MovePlan): Promise<LedgerSession> {
    return this.#ledgers.open(plan);
  }

  /** Tells the proxies where replicas listen now, after one has come or gone or changed its readiness. */
  updateEndpoints(): Promise<void> {
    return this.#exclusively(async () => {
      // Envoy takes the endpoints of one answer in no order, and a replica that is led to must be known behind its listener.
      if (this.#state.publishInbound()) await this.#settleEndpoints();
      this.#state.publishEndpoints();
      for (const settlement of await this.#settleEndpoints()) this.#reportEndpoints(settlement);
    });
  }

  #settleEndpoints(): Promise<readonly Settlement[]> {
    const wait = { types: ["clusters", "endpoints"] as const, deadlineMs: performance.now() + endpointTimeoutMs };
    return Promise.all(this.#server.connected.map((node) => waitForTypes(this.#server, node, wait)));
  }

  /**
   * Requests and errors by destination since the proxies started. Undefined while one of them cannot be asked: counters
   * that are missing once would seem to grow by all that they hold when they are back.
   */
  async stats(): Promise<ReadonlyMap<DestinationId, DestinationCounters> | undefined> {
    const all = await this.#proxies.ask(({ admin }) => readDestinationCounters(admin));
    return all.length === this.#proxies.all.length ? sumCounters(all) : undefined;
  }

  /** What a check judges, of these destinations, since the proxies started. Undefined while one of them cannot be asked. */
  async figures(destinations: ReadonlySet<DestinationId>): Promise<CountersByDestination | undefined> {
    const all = await this.#proxies.ask(({ admin }) => readCheckedFigures(admin, destinations));
    return all.length === this.#proxies.all.length ? sumCounts(all) : undefined;
  }

  /** How long answers of destinations took in the last second. Empty while no proxy can be asked. */
  async latencies(): Promise<LatencyByDestination> {
    return mergeLatencies(await this.#proxies.ask(({ admin }) => readLatencies(admin)));
  }

  /** What reached the workloads that have a sidecar, since the proxies started. Empty while none can be asked. */
  async inbound(): Promise<InboundReading> {
    return mergeInbound(await this.#proxies.ask(({ admin }) => readInbound(admin)));
  }

  status(): readonly ProxyStatus[] {
    return this.#options.proxies.map((proxy) => renderProxyStatus(this.#server, proxy));
  }

  /** Bytes of resources sent to proxies since the start, by type. */
  get bytesSent(): Readonly<Record<ResourceType, number>> {
    return this.#server.bytesSent;
  }

  /** Resolves when no removed destination is kept any more. */
  async whenDrained(): Promise<void> {
    await this.#draining?.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    clearTimeout(this.#rewriteTimer);
    this.#stopDraining();
    await this.#server[Symbol.asyncDispose]();
    this.#proxies[Symbol.dispose]();
    await this.#lastPush.catch(() => undefined);
  }

  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#lastPush.then(work, work);
    // Each caller gets its own error; the next push only waits.
    this.#lastPush = result.catch(() => undefined);
    return result;
  }

  /** One that stands still keeps its connection, so each is asked as well. */
  async #checkProxies(): Promise<PreflightReport["checks"]> {
    const answering = new Set(
      await this.#proxies.ask(async ({ node, admin }) => {
        await admin.get("/ready", readyTimeoutMs);
        return node;
      }),
    );
    return this.#proxies.all.map(({ node }) => {
      const name = `proxy ${node}`;
      if (!this.#server.connected.includes(node)) {
        return { name, verdict: "fail", detail: "not connected, so nothing could be proved" };
      }
      if (answering.has(node)) return { name, verdict: "pass", detail: "connected" };
      return { name, verdict: "fail", detail: "connected, but it does not answer, so nothing could be proved" };
    });
  }

  #prove(startMs: number, deadlineMs: number): Promise<ApplyReport> {
    const { all: proxies } = this.#proxies;
    return proveRuntime({ server: this.#server, state: this.#state, proxies, startMs, deadlineMs });
  }

  #reportEndpoints(settlement: Settlement): void {
    if (this.#isDisposed || settlement.kind === "settled") return;
    const { node } = settlement;
    // One that has left gets them when it comes back.
    if (settlement.kind === "waiting" && !this.#server.connected.includes(node)) return;
    const what =
      settlement.kind === "refused"
        ? `refused the endpoints of ${settlement.resource}: ${settlement.message}`
        : "did not confirm where replicas listen now in time";
    this.#options.onTrouble?.(`${node} ${what}`);
  }

  /** An Envoy that ran before this process: its runtime values are the truth until the routes say the same. */
  async #adopt(): Promise<void> {
    if (this.#hasAdopted) return;
    const deadlineMs = performance.now() + (this.#options.adoptionTimeoutMs ?? defaultAdoptionTimeoutMs);
    for (const runtime of await readRuntimes(this.#server, this.#proxies, deadlineMs)) this.#state.adopt(runtime);
    this.#hasAdopted = true;
  }

  async #setCounting(isCounting: boolean): Promise<boolean> {
    return this.#exclusively(async () => {
      // Waiting behind a push of another move is no fault of the proxies.
      const startMs = performance.now();
      clearTimeout(this.#rewriteTimer);
      this.#state.isCounting = isCounting;
      this.#state.publishRuntime(this.#state.layer);
      const report = await this.#prove(startMs, startMs + ledgerTimeoutMs);
      this.#scheduleRewrite();
      return report.kind === "proved";
    });
  }

  /** A proxy that starts gets routes that have the current weights already. */
  #bakeForNewcomer(): void {
    const state = this.#state;
    if (state.layer.size === 0 || state.table === undefined || state.isChangingTables) return;
    state.publish({ routes: state.buildRoutes() });
    this.#scheduleRewrite();
  }

  /** Begins the pause before a rewrite anew, so that any move puts it off. */
  #scheduleRewrite(): void {
    clearTimeout(this.#rewriteTimer);
    if (this.#isDisposed || this.#state.layer.size === 0) return;
    const delayMs = this.#options.rewriteDelayMs ?? rewriteDelayMs(this.#state.routeBytes);
    this.#rewriteTimer = setTimeout(() => {
      const rewriting = this.#exclusively(() => this.#rewrite());
      rewriting.catch((error: unknown) => this.#options.onTrouble?.(String(error)));
    }, delayMs);
    this.#rewriteTimer.unref();
  }

  async #rewrite(): Promise<void> {
    // A ledger that is open means that a move is under way.
    if (this.#isDisposed || this.#state.isCounting) return;
    const outcome = await rewriteRoutes({
      server: this.#server,
      state: this.#state,
      proxies: this.#proxies.named(this.#server.connected),
    });
    // What is cut short because kirikae ends is no trouble: the layer says the same.
    if (this.#isDisposed || outcome.kind === "done") return;
    this.#options.onTrouble?.(outcome.message);
    if (outcome.kind === "late") this.#scheduleRewrite();
  }

  #startDraining(): void {
    const { destinations, secrets } = this.#state.retired;
    if (destinations.size + secrets.size === 0 && !this.#state.snapshot.withholdsRemovals) return;
    const stop = new AbortController();
    const done = removeRetired({
      server: this.#server,
      state: this.#state,
      proxies: this.#proxies,
      drainMs: this.#options.drainMs ?? 1_000,
      drainTimeoutMs: this.#options.drainTimeoutMs ?? 60_000,
      signal: stop.signal,
      exclusively: (work) => this.#exclusively(work),
    });
    done.catch((error: unknown) => this.#options.onTrouble?.(String(error)));
    this.#draining = { stop, done };
  }

  #stopDraining(): void {
    this.#draining?.stop.abort();
    this.#draining = undefined;
  }
}

/** `sun_path` holds 104 bytes on macOS, the closing zero included; Linux has four more. */
const maxSocketPathBytes = 103;

interface Hooks {
  onAccessLogs(entries: Parameters<LedgerBook["take"]>[0]): void;
  onConnected(): void;
}

function noTable(): KirikaeError {
  return new KirikaeError("KIR3005", "No routes were applied yet.", { exitStatus: 1 });
}
