import { unservedKinds } from "../../src/core/manifest/kind-table.ts";
import { type FieldSupport, type KindSupport, listSupport } from "../../src/core/manifest/support/list-support.ts";
import { escapeCell } from "./markdown.ts";

const networking = "networking.istio.io";

/** docs/istio-support.md: every field of every kind, and what kirikae does with it. */
export function renderSupportDocs(): string {
  const kinds = listSupport();
  const istio = kinds.filter((kind) => kind.group === networking);
  const others = kinds.filter((kind) => kind.group !== networking);
  return [
    "<!-- Written by `npm run docs` from the decoders in src/core/manifest. Do not edit. -->",
    "# What is read of Istio's and Kubernetes' manifests",
    "",
    "This list is read off the decoders themselves. A test holds it against the schema in Istio's own repository, so that",
    "no field of it is missing here, and another test gives every field to the decoders.",
    "",
    "- **yes**: it is read and carried out. What Istio would refuse in it is refused, with file, line and column.",
    "- **no effect**: it is judged in the same way, and then has no effect on one machine; a warning (KIR1007) says so.",
    "- **refused**: ignoring it would misread the manifest, so `check` fails and `up` refuses (KIR1006).",
    "",
    "`[]` is any item of a list, `*` any key. The versions v1, v1beta1 and v1alpha3 are read alike. A field of these kinds",
    "that is not listed is a mistake (KIR1004).",
    "",
    ...renderSummary(istio),
    "Matches on claims of a token (`@request.auth.claims.sub` as the key of `headers` or `withoutHeaders`) are read and",
    "refused (KIR1006): tokens are checked by a RequestAuthentication, which is no networking kind.",
    "",
    ...istio.flatMap(renderKind),
    "## Kinds without effect",
    "",
    ...[...unservedKinds].map(([kind, reason]) => `- ${kind}: ${reason} (KIR1007).`),
    "",
    "# Other kinds",
    "",
    "Of these the fields below are read, and the others are left alone.",
    "",
    ...others.flatMap(renderKind),
  ].join("\n");
}

function count(kind: KindSupport, support: FieldSupport["support"]): number {
  return kind.fields.filter((field) => field.support === support).length;
}

function renderSummary(kinds: readonly KindSupport[]): readonly string[] {
  return [
    "| Kind | Fields | yes | no effect | refused |",
    "|---|---|---|---|---|",
    ...kinds.map(
      (kind) =>
        `| [${kind.kind}](#${kind.kind.toLowerCase()}) | ${kind.fields.length} | ${count(kind, "supported")} | ${count(kind, "ignored")} | ${count(kind, "rejected")} |`,
    ),
    "",
  ];
}

function renderKind(kind: KindSupport): readonly string[] {
  const versions = kind.versions.map((version) => (kind.group === "" ? version : `${kind.group}/${version}`));
  const rows = kind.fields.filter((field) => !isRepeated(field, kind.fields)).map(renderField);
  return [
    `## ${kind.kind}`,
    "",
    `\`${versions.join("`, `")}\`${kind.group !== networking && kind.isClosed ? "; other fields are mistakes" : ""}`,
    "",
    ...(rows.length === 0
      ? ["Its metadata alone is read.", ""]
      : ["| Field | Read | Notes |", "|---|---|---|", ...rows, ""]),
  ];
}

/** What a field above it says for it. */
function isRepeated(field: FieldSupport, fields: readonly FieldSupport[]): boolean {
  if (field.within !== undefined) {
    return true;
  }
  return fields.some(({ path, sameAs }) => sameAs !== undefined && /^(?:\[\]|\.\*)*\./.test(rest(field.path, path)));
}

function rest(path: string, above: string): string {
  return path.startsWith(above) ? path.slice(above.length) : "";
}

const words = { supported: "yes", ignored: "no effect", rejected: "refused" } as const;

function renderField(field: FieldSupport): string {
  const exceptions = [...field.exceptions].map(
    ([value, { support, reason }]) =>
      `\`${value}\` ${support === "rejected" ? "is refused" : "has no effect"}: ${reason}`,
  );
  const notes = [
    field.isRequired ? "required" : undefined,
    field.reason,
    field.values.length > 0 ? field.values.map((value) => `\`${value === "" ? '""' : value}\``).join(" ") : undefined,
    field.sameAs === undefined ? undefined : `as in \`${field.sameAs}\``,
    ...exceptions,
  ].filter((note) => note !== undefined);
  return `| \`${field.path}\` | ${words[field.support]} | ${escapeCell(notes.join("; "))} |`;
}
