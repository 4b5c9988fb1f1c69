import type { Authentication } from "../../manifest/release.ts";
import type { InputField } from "../field-ledger.ts";
import type { Importing } from "../import-result.ts";
import { readHttpUrl } from "../read-http-url.ts";

/** Where a query is asked, as a MetricTemplate says it. */
export interface MetricQuery {
  readonly address: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly authentication: Authentication | undefined;
  /** Where the query is written. */
  readonly field: InputField;
}

/** Finds a MetricTemplate that asks Prometheus; undefined, with a note, where there is none. */
export function readMetricTemplate(reference: InputField, importing: Importing): MetricQuery | undefined {
  const name = reference.get("name").text() ?? "";
  const namespace = reference.get("namespace").text() ?? importing.object.namespace;
  const template = importing.refer("MetricTemplate", { namespace, name });
  if (template === undefined) {
    reference.note(
      `The MetricTemplate ${namespace}/${name} is not in the files that were given, so what it measures is not known; a person is asked instead.`,
    );
    return undefined;
  }
  const spec = template.root.get("spec");
  const provider = spec.get("provider");
  const type = provider.get("type").text();
  const field = spec.get("query");
  provider.get("region").note("It is for another provider than Prometheus.");
  provider
    ?.get("headers")
    .note("No header is copied, because it may hold a secret; write those that are needed into the judge.");
  provider
    ?.get("insecureSkipVerify")
    .note("Certificates are always verified; give the server one that is trusted here.");
  const secret = provider.get("secretRef");
  secret.note(
    "No secret is copied: put the token into the variable PROMETHEUS_TOKEN of the environment of `up`, or name a password by basicAuth.",
  );
  if (type !== "prometheus") {
    (provider.exists ? provider : template.root).note(
      `kirikae asks no ${type ?? "provider without a type"}; a person is asked instead. A \`command\` or \`http\` judge can ask it.`,
    );
    provider.get("address").leaveOut("its provider is not asked");
    field.note("It is in the language of a provider without an equal.");
    return undefined;
  }
  const query = field.text();
  const address = readHttpUrl(provider.get("address"));
  if (query === undefined || address === undefined) return undefined;
  const authentication: Authentication | undefined = !secret.exists
    ? undefined
    : { kind: "bearer", token: { kind: "environment", name: "PROMETHEUS_TOKEN" } };
  return { address, query: query.trim(), headers: {}, authentication, field };
}

/** Fills `{{ namespace }}` and the like in; tells those whose value is not known. */
export function fillTemplate(
  text: string,
  values: Readonly<Record<string, string>>,
):
  | { readonly kind: "filled"; readonly text: string }
  | { readonly kind: "unknown"; readonly names: readonly string[] } {
  const unknown = new Set<string>();
  const filled = text.replaceAll(/\{\{\s*([^{}]*?)\s*\}\}/gu, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) unknown.add(name.slice(0, 60));
    return value ?? whole;
  });
  return unknown.size === 0 ? { kind: "filled", text: filled } : { kind: "unknown", names: [...unknown] };
}
