import { strings, transform } from "../decode/collections.ts";
import { childPlace, type DecodeContext, type Decoder, invalid, type Place, reportValue } from "../decode/decoder.ts";
import { string } from "../decode/scalars.ts";
import { complainLabel, complainPartialWildcard, complainWildcardHost } from "../names.ts";

/** Checks every item of a list of strings and points at the one that is wrong. */
export function checkedStrings(complain: (text: string) => string | undefined): Decoder<readonly string[]> {
  return transform(strings, (texts, place, context) => {
    let isInvalid = false;
    for (const [index, text] of texts.entries()) {
      const complaint = complain(text);
      if (complaint !== undefined) {
        isInvalid = true;
        reportValue(itemPlace(place, index), context, complaint);
      }
    }
    return isInvalid ? invalid : texts;
  });
}

/** The place of an item of a list; the list itself where there is no such item. */
export function itemPlace(place: Place, index: number): Place {
  const item = place.value.kind === "list" ? place.value.items[index] : undefined;
  return item === undefined ? place : childPlace(place, index, item);
}

/** Namespaces, `.` for the object's own, or `*` for all, which stands alone. Istio takes `~` (none) at a ServiceEntry. */
export const exportTo: Decoder<readonly string[]> = transform(strings, (names, place, context) =>
  checkExportTo(names, { place, context, takesNobody: false }),
);

export const serviceEntryExportTo: Decoder<readonly string[]> = transform(strings, (names, place, context) =>
  checkExportTo(names, { place, context, takesNobody: true }),
);

interface ExportContext {
  readonly place: Place;
  readonly context: DecodeContext;
  readonly takesNobody: boolean;
}

/** What is wrong is reported; what was meant is clear all the same, so that nothing is left out for it. */
function checkExportTo(names: readonly string[], { place, context, takesNobody }: ExportContext): readonly string[] {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    const complaint = complainExport(name, takesNobody);
    if (complaint !== undefined) {
      reportValue(itemPlace(place, index), context, complaint);
    }
    const namespace = name === "." ? context.namespace : name;
    if (seen.has(namespace)) {
      const same = name === "." || names.includes(".") ? `, because "." is ${JSON.stringify(context.namespace)}` : "";
      reportValue(itemPlace(place, index), context, `must not name ${JSON.stringify(namespace)} twice${same}`);
    }
    seen.add(namespace);
  }
  const alone = names.find((name) => name === "*" || name === "~");
  if (alone !== undefined && names.length > 1) {
    reportValue(place, context, `must have no other item beside "${alone}"`);
  }
  return names;
}

function complainExport(name: string, takesNobody: boolean): string | undefined {
  if (name === "." || name === "*" || (name === "~" && takesNobody)) {
    return undefined;
  }
  return name === "~" ? 'must not be "~", which only a ServiceEntry may have' : complainLabel(name);
}

/** A Service name, a full name, or a wildcard name that a ServiceEntry declares; `*` stands for no one place. */
export const destinationHost: Decoder<string> = transform(string, (host, place, context) => {
  const complaint = host === "*" ? 'must name one host, not "*"' : complainWildcardHost(host);
  return complaint === undefined ? host : reportValue(place, context, complaint);
});

/**
 * Why a text is not `namespace/host` as gateways and sidecars have it, without its namespace: a full name, a wildcard
 * for whole labels, or `*`. Source: Istio `pkg/config/validation/agent/validation.go`.
 */
export function complainScopedHost(host: string): string | undefined {
  if (host !== "*" && !host.includes(".")) {
    return `must be a full host name, not a short one, but is ${JSON.stringify(host)}`;
  }
  return complainWildcardHost(host) ?? complainPartialWildcard(host);
}
