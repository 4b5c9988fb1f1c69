import { errorText } from "../../core/diagnostics/error-text.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { placeSubsets } from "../../core/release/subset/place-subsets.ts";
import { isSameSubset, type SubsetDefinition, type SubsetEdit } from "../../core/release/subset/subset-edit.ts";
import { permittedManagers, trafficControllers } from "../../core/site/foreign-owner.ts";
import { renderApply } from "../../core/site/render-apply.ts";
import { siteAnnotations } from "../../core/site/site-object.ts";
import type { ApplyOptions, ApplyReport, ProxyProof } from "../../engine/ports.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { ApiPatience } from "./api-patience.ts";
import type { RouteParts } from "./carry-out-routes.ts";
import type { Evidence } from "./evidence.ts";
import { isConfigKnown } from "./known-config.ts";
import { type Need, gatewaysOf } from "./needed-proxies.ts";
import { readBaseline } from "./baseline.ts";
import { proveAtProxies, type ProofReport } from "./prove-at-proxies.ts";
import { readSpec } from "./read-spec.ts";
import { subsetGoneEvidence, subsetsEvidence, unroutedEvidence } from "./subset-evidence.ts";
import { findReference, resolveHost } from "./subset-references.ts";
import { type PlannedWrite, takeBack, writeObjects, type Writing } from "./write-objects.ts";

export interface SubsetWork {
  readonly edit: SubsetEdit;
  readonly options: ApplyOptions;
  readonly calledMs: number;
  readonly takeOver: readonly string[];
  readonly movedBy: string;
  readonly movedAt: string;
}

export interface SubsetParts extends RouteParts {
  readonly drainMs?: number;
}

interface Rule {
  readonly host: string;
  readonly exportTo: readonly string[];
  readonly subsets: readonly SubsetDefinition[];
}

/** As long as Istio's own agent drains a proxy at least (Istio, `terminationDrainDuration`). */
const defaultDrainMs = 5_000;

/** Make before break, each half proved: what could not be is taken back, and the report says which half it was. */
export async function editSubsets(parts: SubsetParts, work: SubsetWork): Promise<ApplyReport> {
  try {
    return await new SubsetRun(parts, work).run();
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    return refused(work, errorText(error));
  }
}

class SubsetRun {
  readonly #parts: SubsetParts;
  readonly #work: SubsetWork;
  readonly #patience: ApiPatience;
  readonly #writing: Writing;
  readonly #proofs = new Map<string, ProxyProof>();
  readonly #notes = new Set<string>();

  constructor(parts: SubsetParts, work: SubsetWork) {
    this.#parts = parts;
    this.#work = work;
    this.#patience = new ApiPatience(parts.clock);
    this.#writing = { api: parts.api, patience: this.#patience, take: (object) => parts.view.take(object) };
  }

  async run(): Promise<ApplyReport> {
    const fault = (await this.#add()) ?? (await this.#remove());
    if (fault !== undefined) return fault;
    const proxies = [...this.#proofs.values()];
    const tookMs = this.#parts.clock.nowMs() - this.#work.calledMs;
    const callToProofMs = Math.max(tookMs, ...proxies.map(({ workersMs }) => workersMs));
    const note = [...this.#notes].join("; ");
    return { kind: "proved", callToProofMs, proxies, ...(note !== "" && { note }) };
  }

  /** A report says that it has failed. */
  async #add(): Promise<ApplyReport | undefined> {
    const { add } = this.#work.edit;
    if (add.length === 0) return undefined;
    const rule = await this.#read();
    const host = resolveHost(readSpec<Rule>(rule).host ?? "", rule.metadata.namespace ?? "");
    const { subsets = [] } = readSpec<Rule>(rule);
    const other = add.find((each) => subsets.some((known) => known.name === each.name && !isSameSubset(known, each)));
    if (other !== undefined)
      return refused(
        this.#work,
        `KIR2062: it has another subset ${other.name}, which the routes that are live may need`,
      );
    const evidence = subsetsEvidence(
      host,
      add.map(({ name }) => name),
    );
    return await this.#change(rule, placeSubsets(subsets, this.#work.edit), evidence);
  }

  async #remove(): Promise<ApplyReport | undefined> {
    const { edit } = this.#work;
    const names = edit.remove.map(({ name }) => name);
    if (names.length === 0) return undefined;
    const rule = await this.#read();
    const { host = "", subsets = [] } = readSpec<Rule>(rule);
    const full = resolveHost(host, rule.metadata.namespace ?? "");
    // Somebody has removed it, or this was broken off behind the write: proxies may still have it.
    if (!subsets.some(({ name }) => names.includes(name)))
      return this.#note(await this.#prove(subsetGoneEvidence(full, names), []));
    const { items } = await this.#patience.ask(() => this.#parts.api.list(kubeKinds.virtualService));
    const reference = findReference(items, full, names);
    if (reference !== undefined) return refused(this.#work, reference);
    const unrouted = unroutedEvidence(full, names);
    const free = this.#note(await this.#prove(unrouted, []));
    if (free !== undefined) return free;
    await this.#parts.clock.sleep(this.#parts.drainMs ?? defaultDrainMs);
    const left = subsets.filter(({ name }) => !names.includes(name));
    return await this.#change(rule, left, subsetGoneEvidence(full, names));
  }

  async #change(
    rule: KubeObject,
    subsets: readonly SubsetDefinition[],
    evidence: Evidence,
  ): Promise<ApplyReport | undefined> {
    const known = readSpec<Rule>(rule).subsets ?? [];
    const isSame =
      known.length === subsets.length && known.every((each, at) => isSameSubset(each, subsets[at] ?? each));
    if (isSame) return this.#note(await this.#prove(evidence, []));
    const owner = findSubsetOwner(rule, this.#work.takeOver);
    if (owner !== undefined) return refused(this.#work, `KIR4006: its subsets belong to ${owner}`);
    const write: PlannedWrite = { kind: kubeKinds.destinationRule, before: rule, apply: this.#render(rule, subsets) };
    const baseline = await this.#patience.ask(() => readBaseline(this.#parts, { evidence, need: this.#need() }));
    const written = await writeObjects([write], this.#writing);
    if (written.kind === "refused") return refused(this.#work, written.message);
    if (written.kind === "torn") return { kind: "unproved", proxies: [], message: written.message };
    const proof = await this.#prove(evidence, written.answers, baseline);
    const fault = this.#note(proof);
    if (fault === undefined) return undefined;
    const failures = await takeBack(written.undo, this.#writing);
    const fate = failures.length === 0 ? "it was taken back" : failures.join("; ");
    return { ...fault, message: `${fault.message}; ${fate}` };
  }

  async #prove(
    evidence: Evidence,
    answers: readonly KubeObject[],
    known?: Awaited<ReturnType<typeof readBaseline>>,
  ): Promise<ProofReport> {
    const { options, calledMs } = this.#work;
    const need = this.#need();
    const baseline = known ?? (await this.#patience.ask(() => readBaseline(this.#parts, { evidence, need })));
    return await proveAtProxies(this.#parts, {
      evidence,
      need,
      baseline,
      isWritten: answers.length > 0,
      calledMs,
      toldMs: this.#parts.clock.nowMs(),
      timeoutMs: options.timeoutMs,
      unreachable: options.unreachable ?? "wait",
      patience: this.#patience,
      onProgress: options.onProgress,
      isKnownTo: (istiod) => isConfigKnown(istiod, answers),
    });
  }

  /** Undefined where it was proved; remembers by whom, and what could not be confirmed. */
  #note(report: ProofReport): Exclude<ProofReport, { readonly kind: "proved" }> | undefined {
    if (report.kind !== "proved") return report;
    for (const proof of report.proxies) this.#proofs.set(proof.node, proof);
    if (report.note !== undefined) this.#notes.add(report.note);
    return undefined;
  }

  /** Clusters go to every gateway, and to every sidecar that sees the service. */
  #need(): Need {
    return { ...gatewaysOf(this.#parts.view), sidecars: "*" };
  }

  async #read(): Promise<KubeObject> {
    const [name = "", namespace = ""] = this.#work.edit.destinationRule.split("/").toReversed();
    const rule = await this.#patience.ask(() => this.#parts.api.get(kubeKinds.destinationRule, { namespace, name }));
    if (rule !== undefined) return rule;
    throw new KirikaeError("KIR4042", `There is no DestinationRule ${namespace}/${name}.`, {
      exitStatus: 1,
      hint: "Create it first, or correct the name in the Release's subsets.",
    });
  }

  #render(rule: KubeObject, subsets: readonly SubsetDefinition[]): KubeObject {
    const { movedBy, movedAt } = this.#work;
    const annotations = { [siteAnnotations.movedBy]: movedBy, [siteAnnotations.movedAt]: movedAt };
    return renderApply(rule, { annotations, spec: { subsets } });
  }
}

/** As with the rules of a VirtualService: whoever applies them again, and whoever moves traffic by itself. */
function findSubsetOwner(rule: KubeObject, takeOver: readonly string[]): string | undefined {
  const permitted = permittedManagers(rule, { takeOver });
  return (rule.metadata.managedFields ?? []).find(
    ({ manager, operation, subresource = "", fieldsV1 }) =>
      !permitted.has(manager) &&
      subresource === "" &&
      (operation === "Apply" || trafficControllers.includes(manager)) &&
      ownsSubsets(fieldsV1?.["f:spec"]),
  )?.manager;
}

function ownsSubsets(spec: unknown): boolean {
  return typeof spec === "object" && spec !== null && (Object.keys(spec).length === 0 || "f:subsets" in spec);
}

function refused({ edit }: Pick<SubsetWork, "edit">, message: string): ApplyReport {
  return { kind: "rejected", node: "the site", resource: `DestinationRule ${edit.destinationRule}`, message };
}
