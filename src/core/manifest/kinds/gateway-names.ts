import { strings, transform } from "../decode/collections.ts";
import {
  type Decoder,
  type DecodeContext,
  type Place,
  reportDiscouraged,
  reportRefused,
  reportValue,
} from "../decode/decoder.ts";
import { complainFqdn, complainLabel } from "../names.ts";
import { itemPlace } from "./hosts.ts";

/**
 * `mesh`, `name`, `namespace/name` or `./name`; the full name of old (`name.ns.svc...`) works but is discouraged. A
 * name that Istio refuses names no Gateway; the others still count, and so do the rules.
 */
export const gatewayNames: Decoder<readonly string[]> = transform(strings, (names, place, context) => {
  for (const [index, name] of names.entries()) {
    checkGatewayName(name, itemPlace(place, index), context);
  }
  return names;
});

function checkGatewayName(name: string, place: Place, context: DecodeContext): void {
  const complaint = complainGatewayName(name);
  if (complaint !== undefined) {
    reportValue(place, context, complaint);
  } else if (name.startsWith("./")) {
    const hint = `Write "${name.slice(2)}".`;
    reportRefused(place, context, {
      complaint: "names a gateway in a form that Istio's admission webhook refuses",
      hint,
    });
  } else if (!name.includes("/") && name.includes(".")) {
    const [gateway, namespace] = name.split(".");
    const hint = `Write "${namespace}/${gateway}".`;
    reportDiscouraged(place, context, {
      complaint: "names a gateway by a full name, a form that Istio discourages",
      hint,
    });
  }
}

/** Why Istio refuses the name, to follow "it"; undefined for one that it takes. */
export function complainGatewayName(text: string): string | undefined {
  const slash = text.indexOf("/");
  if (slash === -1) {
    return complainFqdn(text);
  }
  const [namespace, name] = [text.slice(0, slash), text.slice(slash + 1)];
  const isNamespaceWrong = namespace !== "." && complainLabel(namespace) !== undefined;
  return isNamespaceWrong || complainLabel(name) !== undefined
    ? `must be a gateway's name or namespace/name, but is ${JSON.stringify(text)}`
    : undefined;
}
