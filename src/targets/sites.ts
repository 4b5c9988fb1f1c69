import { KirikaeError } from "../core/diagnostics/error.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import type { SplitId, SplitWeights, WeightOverrides } from "../core/routes/route-table.ts";
import { localName, qualifyName, siteOf } from "../core/routes/site-names.ts";
import type {
  ApplyOptions,
  ApplyReport,
  LedgerSession,
  ObservedSplit,
  PreflightReport,
  ProxyProof,
  Target,
} from "../engine/ports.ts";
import { SitesLedger } from "./sites-ledger.ts";

/**
 * Several clusters as one place, by the context of each. Names are qualified; each cluster is asked for its part alone,
 * under the names that it has there. What one has taken and another has not is for the engine to take back.
 */
export class SitesTarget implements Target {
  readonly name: string;
  readonly #sites: ReadonlyMap<string, Target>;

  constructor(sites: ReadonlyMap<string, Target>) {
    this.#sites = sites;
    this.name = [...sites.keys()].join(", ");
  }

  async preflight(plan: MovePlan): Promise<PreflightReport> {
    const reports = await Promise.all(
      this.#sitesOf(plan.changes.map(({ split }) => split)).map(async ([context, target]) => ({
        context,
        report: await target.preflight(planOfSite(plan, context)),
      })),
    );
    return {
      ok: reports.every(({ report }) => report.ok),
      checks: reports.flatMap(({ context, report }) =>
        report.checks.map((check) => ({ ...check, name: `${context}: ${check.name}` })),
      ),
    };
  }

  async apply(weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport> {
    const waits = new Map<string, string>();
    const reports = await Promise.all(
      this.#sitesOf([...weights.keys()]).map(async ([context, target]) => {
        const onProgress = (text: string): void => {
          waits.set(context, text);
          options.onProgress?.([...waits].map(([site, wait]) => `${site}: ${wait}`).join("; "));
        };
        const report = await applyOrFail(target, weightsOfSite(weights, context), {
          ...options,
          onProgress,
          ...(options.replaces !== undefined && {
            replaces: options.replaces.map((each) => weightsOfSite(each, context)),
          }),
        });
        return { context, report };
      }),
    );
    return combineReports(reports);
  }

  /** A cluster that cannot be asked shows nothing, and hides none of the others. */
  async observe(splits: readonly SplitId[]): Promise<readonly ObservedSplit[]> {
    const seen = await Promise.all(
      this.#sitesOf(splits).map(async ([context, target]) => {
        const own = splits.filter((split) => siteOf(split) === context).map(localName);
        const observed = await target.observe(own).catch((error: unknown) => {
          if (!(error instanceof KirikaeError)) throw error;
          return own.map((split): ObservedSplit => ({ split, weights: undefined }));
        });
        return observed.map(({ split, weights }) => ({
          split: qualifyName(context, split),
          weights: weights === undefined ? undefined : mapKeys(weights, (name) => qualifyName(context, name)),
        }));
      }),
    );
    return seen.flat();
  }

  async openLedger(plan: MovePlan): Promise<LedgerSession> {
    await using stack = new AsyncDisposableStack();
    const sessions = new Map<string, LedgerSession>();
    for (const [context, target] of this.#sitesOf(plan.changes.map(({ split }) => split))) {
      sessions.set(context, stack.use(await target.openLedger(planOfSite(plan, context))));
    }
    return new SitesLedger(sessions, stack.move());
  }

  /** Those that have a part, in their own order. Throws for a split of a cluster that is not here. */
  #sitesOf(splits: readonly SplitId[]): readonly (readonly [string, Target])[] {
    const wanted = new Set(splits.map((split) => siteOf(split) ?? ""));
    const strange = [...wanted].find((context) => !this.#sites.has(context));
    if (strange !== undefined) {
      throw new KirikaeError("KIR2064", `There is no cluster ${strange} here, only ${this.name}.`, {
        exitStatus: 2,
        hint: "Start kirikae with all the contexts that the release moves.",
      });
    }
    return [...this.#sites].filter(([context]) => wanted.has(context));
  }
}

/** The part of a plan that is one cluster's, under the names that it has there. */
function planOfSite(plan: MovePlan, context: string): MovePlan {
  const isOwn = (name: string): boolean => siteOf(name) === context;
  const changes = plan.changes
    .filter(({ split }) => isOwn(split))
    .map((change) => ({
      ...change,
      split: localName(change.split),
      ...(change.virtualService !== undefined && { virtualService: localName(change.virtualService) }),
      declared: mapKeys(change.declared, localName),
      before: mapKeys(change.before, localName),
      after: mapKeys(change.after, localName),
    }));
  return {
    ...plan,
    virtualService: changes[0]?.virtualService ?? localName(plan.virtualService),
    changes,
    stays: [],
    versions: plan.versions.map(({ name, destinations }) => ({
      name,
      destinations: destinations.filter(isOwn).map(localName),
    })),
  };
}

function weightsOfSite(weights: WeightOverrides, context: string): WeightOverrides {
  return new Map(
    [...weights]
      .filter(([split]) => siteOf(split) === context)
      .map(([split, own]) => [localName(split), mapKeys(own, localName)]),
  );
}

function mapKeys(weights: SplitWeights, rename: (name: string) => string): SplitWeights {
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [rename(name), weight]));
}

/** What a cluster says no to must not hide what another one has taken. */
async function applyOrFail(target: Target, weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport> {
  try {
    return await target.apply(weights, options);
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    return { kind: "unproved", proxies: [], message: error.message };
  }
}

interface SiteReport {
  readonly context: string;
  readonly report: ApplyReport;
}

function rejectedBy(
  { context, report }: { readonly context: string; readonly report: Extract<ApplyReport, { kind: "rejected" }> },
  reports: readonly SiteReport[],
): ApplyReport {
  const { kind, resource, message } = report;
  const isUntouched = reports.every((each) => each.report.kind === "rejected" && each.report.isUntouched === true);
  return { kind, node: `${context}/${report.node}`, resource, message, ...(isUntouched && { isUntouched }) };
}

/** Proved where all are; else the first refusal, or all that was not proved. */
function combineReports(reports: readonly SiteReport[]): ApplyReport {
  const proxies = reports.flatMap(({ context, report }) =>
    report.kind === "rejected"
      ? []
      : report.proxies.map((proof): ProxyProof => ({ ...proof, node: `${context}/${proof.node}` })),
  );
  const unproved: string[] = [];
  const notes: string[] = [];
  let callToProofMs = 0;
  for (const { context, report } of reports) {
    switch (report.kind) {
      case "rejected":
        return rejectedBy({ context, report }, reports);
      case "unproved":
        unproved.push(`${context}: ${report.message}`);
        break;
      case "proved":
        callToProofMs = Math.max(callToProofMs, report.callToProofMs);
        if (report.note !== undefined) notes.push(`${context}: ${report.note}`);
    }
  }
  if (unproved.length > 0) return { kind: "unproved", proxies, message: unproved.join("; ") };
  return { kind: "proved", callToProofMs, proxies, ...(notes.length > 0 && { note: notes.join("; ") }) };
}
