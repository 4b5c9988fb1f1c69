import type { ReleaseSource } from "../api/types.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { releasedServices, type ReleasePlan } from "../core/release/plan/plan-release.ts";
import { splitsOfAddition } from "../core/routes/add-routes.ts";
import type { SplitId } from "../core/routes/route-table.ts";
import type { WrittenObject } from "../core/site/written-objects.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import type { ControlledReleases } from "./controlled-releases.ts";
import { readActor, readReason } from "./orders/parse-order.ts";
import type { Standing } from "./status/conditions.ts";

/** Says who wants a Release, for its history; the API server tells nobody who has created an object. */
const actorAnnotation = "kirikae.dev/actor";
const reasonAnnotation = "kirikae.dev/reason";

/** What ends by itself: another release has the routes, a move of them runs, the journal cannot be written. */
const passing: ReadonlySet<string> = new Set(["KIR2013", "KIR2023", "KIR2034", "KIR2024"]);

/** What whoever may create Releases may have the controller do with its own rights. */
export interface StartRules {
  /** Judges that run programs in the controller's pod. */
  readonly commands: boolean;
  /** Secrets from files and variables of the controller's pod, sent to where the Release says. */
  readonly secrets: boolean;
  /** Routes of other namespaces than that of the Release. */
  readonly otherNamespaces: boolean;
  /** Throws KIR4076 for what judges and notifications may not be sent to. */
  readonly checkAddress: (url: URL) => void;
}

export interface StartParts {
  readonly releases: Pick<ControlledReleases, "start" | "plan">;
  readonly allows: StartRules;
  /** The objects that have the rules of these splits. */
  readonly writtenBy: (splits: ReadonlySet<SplitId>) => readonly WrittenObject[];
}

/** Begins what the object asks for, read as a file is; or says why it does not begin. */
export function startRelease(object: KubeObject, { releases, allows, writtenBy }: StartParts): Standing {
  const { apiVersion, kind, metadata, spec } = object;
  const { namespace = "", name, annotations = {} } = metadata;
  const reason = annotations[reasonAnnotation];
  const source: ReleaseSource = {
    path: `Release ${namespace}/${name}`,
    text: JSON.stringify({ apiVersion, kind, metadata: { namespace, name }, spec }),
    actor: readActor(annotations[actorAnnotation] ?? "kubernetes"),
    reason: reason === undefined ? undefined : readReason(reason),
  };
  try {
    const fields = listFields(spec);
    if (!allows.secrets && namesSecret(fields)) throw refuseSecrets();
    for (const address of findAddresses(fields)) allows.checkAddress(address);
    const plan = releases.plan(source);
    const written = writtenBy(releasedSplits(plan)).map(({ writtenIn }) => writtenIn);
    const foreign = allows.otherNamespaces ? undefined : findForeign(plan, { namespace, written });
    if (foreign !== undefined) throw refuseForeign(foreign, namespace);
    return { kind: "begun", release: releases.start(source) };
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    const message = `${error.message}${error.hint === undefined ? "" : ` ${error.hint}`}`;
    return passing.has(error.code) ? { kind: "pending", message } : { kind: "refused", code: error.code, message };
  }
}

/** Of objects in another namespace, the first that it would write. */
function findForeign(
  plan: ReleasePlan,
  { namespace, written }: { readonly namespace: string; readonly written: readonly string[] },
): string | undefined {
  const subsets = plan.spec.subsets?.map((each) => `${each.namespace}/${each.destinationRule}`) ?? [];
  return [...releasedServices(plan), ...subsets, ...written].find((each) => !each.startsWith(`${namespace}/`));
}

function releasedSplits({ steps }: ReleasePlan): ReadonlySet<SplitId> {
  return new Set(
    steps.flatMap((step) => {
      if ("moves" in step) return step.moves.flatMap(({ changes }) => changes.map(({ split }) => split));
      return "addition" in step ? splitsOfAddition(step.addition) : [];
    }),
  );
}

function refuseForeign(foreign: string, namespace: string): KirikaeError {
  return new KirikaeError("KIR4072", `${foreign} is not in ${namespace}, the namespace of the Release.`, {
    exitStatus: 2,
    hint: "Create the Release in that namespace, or start the controller with --allow-other-namespaces if all who may create Releases may move the routes of all namespaces.",
  });
}

function refuseSecrets(): KirikaeError {
  return new KirikaeError("KIR4073", "The Release names a secret of the controller's own files or environment.", {
    exitStatus: 2,
    hint: "Start the controller with --allow-secrets if all who may create Releases may send its secrets anywhere.",
  });
}

type Field = readonly [key: string, value: unknown];

/** All fields at all depths. The API server takes objects that nest deeper than calls may. */
function listFields(value: unknown): readonly Field[] {
  const fields: Field[] = [["", value]];
  // What is added while it is walked over is walked over too.
  for (const [, inner] of fields) {
    if (typeof inner !== "object" || inner === null) continue;
    for (const field of Object.entries(inner)) fields.push(field);
  }
  return fields;
}

/** Wherever the Release says `fromFile` or `fromEnvironment`: only secrets are named so. */
function namesSecret(fields: readonly Field[]): boolean {
  return fields.some(([key]) => key === "fromFile" || key === "fromEnvironment");
}

/** Wherever the Release says `url` or `address`; a name is looked at again when it is connected to. */
function findAddresses(fields: readonly Field[]): readonly URL[] {
  return fields.flatMap(([key, value]) => {
    const url = typeof value === "string" && (key === "url" || key === "address") ? URL.parse(value) : null;
    return url === null ? [] : [url];
  });
}
