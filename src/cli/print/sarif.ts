import { isAbsolute, relative, sep } from "node:path";
import { cwd } from "node:process";
import { pathToFileURL } from "node:url";
import type { SuppressedFinding } from "../../core/diagnostics/apply-suppressions.ts";
import { catalogue, type DiagnosticCode } from "../../core/diagnostics/catalogue.ts";
import type { Diagnostic, DiagnosticLevel } from "../../core/diagnostics/diagnostic.ts";
import type { Position } from "../../core/diagnostics/position.ts";
import type { Suppression } from "../../core/diagnostics/suppression.ts";

type SarifObject = Readonly<Record<string, unknown>>;

export interface SarifFindings {
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly SuppressedFinding[];
}

/**
 * A log in the Static Analysis Results Interchange Format 2.1.0 (OASIS), which code scanning services read. Paths below
 * the working directory are relative to it, so that it should be run at the top of the repository. Suppressed findings
 * are in it with their reason, and a viewer leaves them out.
 */
export function buildSarifLog(
  { diagnostics, suppressed }: SarifFindings,
  { version }: { readonly version: string },
): SarifObject {
  const codes = [...new Set([...diagnostics, ...suppressed.map(({ finding }) => finding)].map(({ code }) => code))];
  const rules = codes.toSorted();
  const indexOf = new Map(rules.map((code, index) => [code, index]));
  const results = [
    ...diagnostics.map((finding) => buildResult(finding, indexOf, undefined)),
    ...suppressed.map(({ finding, suppression }) => buildResult(finding, indexOf, suppression)),
  ];
  const driver = { name: "kirikae", semanticVersion: version, rules: rules.map(buildRule) };
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results }],
  };
}

const sarifLevel: Readonly<Record<DiagnosticLevel, string>> = { error: "error", warning: "warning", info: "note" };

function buildRule(code: DiagnosticCode): SarifObject {
  const { level, title, meaning, istioCode } = catalogue[code];
  const known = istioCode === undefined ? "" : ` \`istioctl analyze\` calls it ${istioCode}.`;
  const asked = `kirikae check --explain ${code}`;
  return {
    id: code,
    name: pascalCase(title),
    shortDescription: { text: title },
    fullDescription: { text: meaning },
    help: { text: `${meaning}${known.replaceAll("`", "")}\n${asked}`, markdown: `${meaning}${known}\n\n\`${asked}\`` },
    defaultConfiguration: { level: sarifLevel[level] },
    properties: { tags: ["istio", ...(istioCode === undefined ? [] : [istioCode])] },
  };
}

function buildResult(
  { code, level, message, hint, resource, at }: Diagnostic,
  indexOf: ReadonlyMap<DiagnosticCode, number>,
  suppression: Suppression | undefined,
): SarifObject {
  const locations = [
    {
      ...(at === undefined ? {} : { physicalLocation: buildPlace(at) }),
      ...(resource === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: resource, kind: "resource" }] }),
    },
  ];
  return {
    ruleId: code,
    ruleIndex: indexOf.get(code),
    level: sarifLevel[level],
    message: { text: hint === undefined ? message : `${message}\n${hint}` },
    ...(at === undefined && resource === undefined ? {} : { locations }),
    ...(suppression === undefined ? {} : { suppressions: [buildSuppression(suppression)] }),
  };
}

function buildSuppression({ reason, at }: Suppression): SarifObject {
  return {
    kind: "inSource",
    status: "accepted",
    justification: reason,
    location: { physicalLocation: buildPlace(at) },
  };
}

function buildPlace({ file, line, column }: Position): SarifObject {
  return { artifactLocation: { uri: uriOf(file) }, region: { startLine: line, startColumn: column } };
}

/** Relative with forward slashes where the file is below the working directory, else a `file:` URL. */
function uriOf(file: string): string {
  if (file === "<stdin>") return "stdin";
  const path = relative(cwd(), file);
  if (path === "" || path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path)) return pathToFileURL(file).href;
  return path.split(sep).map(encodeURIComponent).join("/");
}

/** `destination host not found` becomes `DestinationHostNotFound`. */
function pascalCase(title: string): string {
  return title
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join("");
}
