import type { PreviewMatch, ReleaseStep } from "../../manifest/release.ts";
import { readDurationMs } from "../duration-text.ts";
import type { InputField } from "../field-ledger.ts";
import type { Importing } from "../import-result.ts";
import { readStringMatch } from "../read-string-match.ts";
import { approval, emptyCheck } from "../release-parts.ts";
import { type ImportedAnalysis, readAnalysis } from "./analysis.ts";

/** What steps read of the strategy around them, and remember of those before. */
interface StepReading {
  readonly importing: Importing;
  /** Weights are counted in this, 100 unless `maxTrafficWeight` says another. */
  readonly denominator: number;
  /** Names of the routes that are in place, by kind. */
  readonly inPlace: { readonly headers: Set<string>; readonly mirrors: Set<string> };
}

/** Reads the steps of a canary; each says what it became, in the order and with the number of the other tool. */
export function readSteps(
  list: InputField,
  options: { readonly importing: Importing; readonly denominator: number },
): readonly (readonly ReleaseStep[])[] {
  const reading: StepReading = { ...options, inPlace: { headers: new Set(), mirrors: new Set() } };
  return list.items().map((step) => readStep(step, reading));
}

function readStep(step: InputField, reading: StepReading): readonly ReleaseStep[] {
  const weight = step.get("setWeight");
  const pause = step.get("pause");
  const header = step.get("setHeaderRoute");
  const mirror = step.get("setMirrorRoute");
  const analysis = step.get("analysis");
  const experiment = step.get("experiment");
  const plugin = step.get("plugin");
  step.get("setCanaryScale").note("kirikae scales nothing: the new version has to have the pods that its share needs.");
  step.get("replicaProgressThreshold").leaveOut("it is about pods, and kirikae makes none");
  if (weight.exists) return readWeight(weight, reading);
  if (pause.exists) return readPause(pause);
  if (header.exists) return readHeaderRoute(header, reading);
  if (mirror.exists) return readMirrorRoute(mirror, reading);
  if (analysis.exists) return stepsOfAnalysis(readAnalysis(analysis, reading.importing));
  if (experiment.exists) {
    experiment.note("kirikae starts no pods, so there is no experiment; a person is asked instead.");
    return [approval("Has the experiment shown that the new version is good?")];
  }
  if (!plugin.exists) return [];
  plugin.note("kirikae has no plugins; a person is asked instead. A `command` judge can run a program.");
  return [approval("Has the step that a plugin carried out been done?")];
}

/** A check with the judges that there are, and a question about the measurements that no judge can ask. */
export function stepsOfAnalysis({ judges, durationMs, unasked }: ImportedAnalysis): readonly ReleaseStep[] {
  const check: readonly ReleaseStep[] =
    judges.length === 0 ? [] : [{ kind: "check", ...emptyCheck(durationMs), judges }];
  return unasked.length === 0 ? check : [...check, approval(`Is the new version good by ${unasked.join(", ")}?`)];
}

function readWeight(field: InputField, { denominator }: StepReading): readonly ReleaseStep[] {
  const given = field.number();
  if (given === undefined) return [];
  const percent = Math.round((given / denominator) * 10_000) / 100;
  if (given < 0 || percent > 100) {
    field.note("It is no share of all traffic, so the step is left out.");
    return [];
  }
  if (Math.abs(percent - (given / denominator) * 100) > 1e-9) {
    field.note(`Shares have two decimals, so it is ${percent} percent.`);
  }
  return [{ kind: "weight", shares: percent }];
}

function readPause(field: InputField): readonly ReleaseStep[] {
  if (field.entries().length === 0) return [{ kind: "hold", durationMs: undefined }];
  const durationMs = readDurationMs(field.get("duration"));
  return [{ kind: "hold", durationMs: durationMs === 0 ? undefined : durationMs }];
}

/** Several entries are OR-ed, as those of a preview. Without any the route is taken away. */
function readHeaderRoute(field: InputField, { inPlace }: StepReading): readonly ReleaseStep[] {
  const name = field.get("name").text() ?? "preview";
  const matches = field.get("match").items().flatMap(readHeaderMatch);
  if (matches.length > 0) {
    inPlace.headers.add(name);
    return [{ kind: "preview", name, match: matches }];
  }
  return endAddition(field, inPlace.headers, { name, others: inPlace.mirrors });
}

function readHeaderMatch(field: InputField): readonly PreviewMatch[] {
  const name = field.get("headerName").text()?.toLowerCase();
  const value = readStringMatch(field.get("headerValue"));
  if (name === undefined || name === "" || value === undefined) return [];
  return [{ headers: { [name]: value }, cookies: {}, queryParams: {} }];
}

function readMirrorRoute(field: InputField, { inPlace }: StepReading): readonly ReleaseStep[] {
  const name = field.get("name").text() ?? "mirror";
  const percent = field.get("percentage").number() ?? 100;
  const matches = field.get("match").items();
  if (matches.length === 0) {
    const isThere = inPlace.mirrors.delete(name);
    if (isThere) return [{ kind: "mirror", percent: 0, methods: safeMethods, compare: undefined }];
    field.note("It takes away a route that no step before it has added, so it is left out.");
    return [];
  }
  inPlace.mirrors.add(name);
  const methods = matches.flatMap((match) => readMirroredMethod(match));
  if (methods.length < matches.length) {
    field.note(
      "Argo Rollouts copied requests of every method; only GET and HEAD are copied unless `methods` names more.",
    );
  }
  const isShare = percent >= 0 && percent <= 100;
  if (!isShare) field.get("percentage").note("It is no percentage, so all are copied.");
  const named = methods.length < matches.length ? safeMethods : [...new Set(methods)];
  return [
    { kind: "mirror", percent: isShare ? Math.round(percent * 100) / 100 : 100, methods: named, compare: undefined },
  ];
}

const safeMethods: readonly string[] = ["GET", "HEAD"];

function readMirroredMethod(match: InputField): readonly string[] {
  for (const name of ["path", "headers"]) {
    match
      .get(name)
      .note("Copies are chosen by method and percentage alone, so requests of other paths are copied too.");
  }
  const method = match.get("method");
  const value = readStringMatch(method);
  if (value?.kind === "exact" && /^[A-Za-z]{1,20}$/u.test(value.value)) return [value.value.toUpperCase()];
  if (value !== undefined) method.note("Methods are named one by one, so only GET and HEAD are copied.");
  return [];
}

/** `finish` takes everything away, so it stands for the end of one route only where no other is in place. */
function endAddition(
  field: InputField,
  own: Set<string>,
  { name, others }: { readonly name: string; readonly others: ReadonlySet<string> },
): readonly ReleaseStep[] {
  const isThere = own.delete(name);
  if (isThere && own.size === 0 && others.size === 0) return [{ kind: "finish" }];
  field.note(
    isThere
      ? "One of several routes cannot be taken away by itself: it stays until the release is finished."
      : "It takes away a route that no step before it has added, so it is left out.",
  );
  return [];
}
