import { strings, transform } from "../decode/collections.ts";
import { childPlace, type Decoder, renderPath, report, reportValue } from "../decode/decoder.ts";
import { complainFqdn, complainLabel } from "../names.ts";

/** `mesh`, `name`, `namespace/name` or `./name`; the full name of old (`name.ns.svc...`) works but is discouraged. */
export const gatewayNames: Decoder<readonly string[]> = transform(strings, (names, place, context) => {
  for (const [index, name] of names.entries()) {
    const value = place.value.kind === "list" ? place.value.items[index] : undefined;
    const item = value === undefined ? place : childPlace(place, index, value);
    const complaint = complainGatewayName(name);
    if (complaint !== undefined) {
      reportValue(item, context, complaint);
    } else if (!name.includes("/") && name.includes(".")) {
      const [gateway, namespace] = name.split(".");
      const message = `"${renderPath(item)}" names a gateway by a full name, a form that Istio discourages.`;
      report(item, context, { code: "KIR1013", message, hint: `Write "${namespace}/${gateway}".` });
    }
  }
  // A name that Istio refuses names no Gateway; the others still count, and so do the rules.
  return names;
});

function complainGatewayName(text: string): string | undefined {
  const [first = "", second, ...rest] = text.split("/");
  if (second === undefined) {
    return complainFqdn(first);
  }
  const namespaceIsWrong = first !== "." && complainLabel(first) !== undefined;
  return rest.length > 0 || namespaceIsWrong || complainFqdn(second) !== undefined
    ? `must be a gateway's name or namespace/name, but is ${JSON.stringify(text)}`
    : undefined;
}
