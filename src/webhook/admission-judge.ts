import type { DiagnosticCode } from "../core/diagnostics/catalogue.ts";
import type { Diagnostic } from "../core/diagnostics/diagnostic.ts";
import { renderPosition } from "../core/diagnostics/position.ts";
import type { SourceText } from "../core/manifest/manifest.ts";
import { parseManifests } from "../core/manifest/parse-manifests.ts";
import { renderSiteSource } from "../core/site/render-site-source.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import type { AdmissionAnswer, AdmissionRequest } from "./admission-review.ts";
import { findMovedWeights } from "./moved-weights.ts";
import { findNeighbours } from "./neighbourhood.ts";
import { findNew } from "./new-findings.ts";

/** What the webhook knows of the cluster. */
export interface AdmissionView {
  /** One text for each object that routes are made of; undefined until all of them have been read. */
  sources(): readonly SourceText[] | undefined;
  /** Findings about what the sources cannot have, such as Secrets. */
  leavesOut(finding: Diagnostic): boolean;
  releases(): readonly KubeObject[];
}

export interface JudgeOptions {
  readonly view: AdmissionView;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * Resolves when the view may know more than it does, or soon after. What was stored a moment ago may be on its way
   * here, and an object that needs it must not be refused for that.
   */
  readonly untilFresher: () => Promise<void>;
}

/** In JSON, of one object as it was or would be. */
const largest = 256 * 1024;
/** In JSON, of all objects that one object concerns. What is parsed is built and checked in one go, and keeps the process. */
const largestNeighbourhood = 2 * 1024 * 1024;
const nobodyWaits: AdmissionAnswer = { kind: "unjudged", reason: "there was no time for it" };

/** Says of one object what `kirikae check` would say of the cluster with it in the place of the one before. */
export class AdmissionJudge {
  readonly #options: JudgeOptions;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** Gives way to all other work again and again, and up once the signal is aborted. */
  async judge(request: AdmissionRequest, signal: AbortSignal): Promise<AdmissionAnswer> {
    const object = request.operation === "DELETE" ? request.oldObject : request.object;
    if (object === undefined) return { kind: "unjudged", reason: "the API server has sent no object that can be read" };
    if (object.kind === "Release") return judgeRelease(request, object);
    // A check of what is larger keeps the process from its other work, the Lease among it, for seconds.
    const size = Math.max(...[request.object, request.oldObject].map((form) => JSON.stringify(form ?? null).length));
    if (size > largest)
      return { kind: "unjudged", reason: `it has ${size} characters, and is judged up to ${largest}` };
    const first = await this.#look(request, { object, signal });
    if (first.kind !== "denied") return first;
    await this.#options.untilFresher();
    return await this.#look(request, { object, signal });
  }

  async #look(
    request: AdmissionRequest,
    { object, signal }: { readonly object: KubeObject; readonly signal: AbortSignal },
  ): Promise<AdmissionAnswer> {
    const { view, now } = this.#options;
    const before = view.sources();
    if (before === undefined) return { kind: "unjudged", reason: "its copy of the cluster is not complete yet" };
    const source = sourceOf(object);
    const known = before.find(({ path }) => path === source.path);
    if (request.operation !== "DELETE" && known?.text === source.text) return { kind: "allowed", warnings: [] };
    const forms = [request.object, request.oldObject].filter((form) => form !== undefined);
    const close = findNeighbours(before, forms);
    const size = close.reduce((sum, { text }) => sum + text.length, 0);
    if (size > largestNeighbourhood) {
      const reason = `the ${close.length} objects that it may concern have ${size} characters, and up to ${largestNeighbourhood} are looked at`;
      return { kind: "unjudged", reason };
    }
    const others = close.filter(({ path }) => path !== source.path);
    const current = known === undefined ? others : [...others, known];
    const after = request.operation === "DELETE" ? others : [...others, source];
    const options = { nowMs: now(), leavesOut: (finding: Diagnostic) => view.leavesOut(finding), signal };
    const found = await findNew(current, after, options);
    if (found === undefined) return nobodyWaits;
    return answerFor(request, found, findMovedWeights(request, view.releases()));
  }
}

function sourceOf(object: KubeObject): SourceText {
  const { kind, metadata } = object;
  const name = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  return { path: `${kind} ${name}`, text: renderSiteSource(object).text, isObject: true };
}

/** A Release is read on its own: what it needs of the routes is looked at when it starts. */
function judgeRelease(request: AdmissionRequest, object: KubeObject): AdmissionAnswer {
  // One that is being deleted or is told to go on may say what an older version took.
  if (request.operation === "DELETE" || isSameSpec(request)) return { kind: "allowed", warnings: [] };
  const { diagnostics } = parseManifests([sourceOf(object)], { defaultNamespace: "default" });
  return answerFor(request, diagnostics, []);
}

function isSameSpec({ object, oldObject }: AdmissionRequest): boolean {
  return oldObject !== undefined && JSON.stringify(object?.["spec"]) === JSON.stringify(oldObject["spec"]);
}

function answerFor(request: AdmissionRequest, found: readonly Diagnostic[], more: readonly string[]): AdmissionAnswer {
  const errors = found.filter((finding) => finding.level === "error" && !comesLater.has(finding.code));
  const mild = found.filter((finding) => finding.level === "warning" || comesLater.has(finding.code));
  const warnings = [...more, ...mild.map(renderLine)];
  if (errors.length === 0) return { kind: "allowed", warnings };
  const without = request.operation === "DELETE" ? "without it" : "with it";
  const shown = errors.slice(0, mostErrors).map(renderFinding);
  const rest = errors.length > mostErrors ? [`and ${errors.length - mostErrors} more.`] : [];
  return { kind: "denied", message: [`kirikae check finds ${without}:`, ...shown, ...rest].join("\n"), warnings };
}

const mostErrors = 10;

/**
 * Errors of a folder that say what a cluster is on its way to: a subset, a gateway or a Sidecar is declared before its
 * pods run, and stays declared while there are none.
 */
const comesLater: ReadonlySet<DiagnosticCode> = new Set(["KIR1030", "KIR1200", "KIR1208"]);

function renderFinding(finding: Diagnostic): string {
  return `${renderLine(finding)}${finding.hint === undefined ? "" : ` ${finding.hint}`}`;
}

function renderLine({ code, istioCode, message, at, resource }: Diagnostic): string {
  const place = at === undefined ? resource : renderPosition(at);
  return `${code}${istioCode === undefined ? "" : ` (${istioCode})`} ${place === undefined ? "" : `${place}: `}${message}`;
}
