import type { CatalogueEntry } from "../../src/core/diagnostics/catalogue-entry.ts";
import { catalogue } from "../../src/core/diagnostics/catalogue.ts";
import { errorCodes } from "../../src/core/diagnostics/error-codes.ts";
import { escapeCell } from "./markdown.ts";

/** docs/diagnostics.md: every code that a user can meet. */
export function renderDiagnosticsDocs(): string {
  const findings = Object.entries(catalogue)
    .toSorted(byCode)
    .map(([code, entry]) => [code, entry.istioCode ?? "", renderLevel(entry), entry.title, entry.meaning]);
  const errors = Object.entries(errorCodes)
    .toSorted(byCode)
    .map(([code, { title, meaning }]) => [code, title, meaning]);
  return [
    "<!-- Written by `npm run docs` from src/core/diagnostics. Do not edit. -->",
    "# Diagnostics and errors",
    "",
    "A code is stable: it is never reused, and what it means does not change. `KIR1xxx` is about manifests, `KIR2xxx`",
    "about moving traffic, `KIR3xxx` about xDS and Envoy, `KIR4xxx` about clusters, `KIR5xxx` about the machine, the API and",
    "the command line.",
    "",
    "## Findings about manifests",
    "",
    "`kirikae check` and `kirikae up` give them with file, line and column. An `error` makes `check` fail, and all but those",
    "marked with * keep `up` from serving: after such a one the manifests still mean what they say, and some requests",
    "fail. The Istio code is that of the same finding in `istioctl analyze`. What keeps `up` from serving cannot be",
    "silenced by the annotation `kirikae.dev/ignore`; the others can, object by object ([how](guide/check.md)).",
    "",
    "| Code | Istio | Level | Title | Meaning |",
    "|---|---|---|---|---|",
    ...findings.map(renderRow),
    "",
    "## Errors",
    "",
    "What a command or the API ends with when it cannot do what was asked.",
    "",
    "| Code | Title | Meaning |",
    "|---|---|---|",
    ...errors.map(renderRow),
    "",
  ].join("\n");
}

function renderLevel({ level, blocksServing }: CatalogueEntry): string {
  return level === "error" && blocksServing === false ? "error *" : level;
}

function byCode([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

function renderRow(cells: readonly string[]): string {
  return `| ${cells.map(escapeCell).join(" | ")} |`;
}
