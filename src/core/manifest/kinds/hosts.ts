import { nonEmpty, strings, transform } from "../decode/collections.ts";
import { childPlace, type Decoder, invalid, reportValue } from "../decode/decoder.ts";
import { string } from "../decode/scalars.ts";
import { complainHost, complainLabel } from "../names.ts";

/** Checks every item of a list of strings and points at the one that is wrong. */
export function checkedStrings(complain: (text: string) => string | undefined): Decoder<readonly string[]> {
  return transform(strings, (texts, place, context) => {
    let isInvalid = false;
    for (const [index, text] of texts.entries()) {
      const complaint = complain(text);
      const item = place.value.kind === "list" ? place.value.items[index] : undefined;
      if (complaint !== undefined && item !== undefined) {
        isInvalid = true;
        reportValue(childPlace(place, index, item), context, complaint);
      }
    }
    return isInvalid ? invalid : texts;
  });
}

/** Hosts of a VirtualService or a ServiceEntry: at least one, each a name, a wildcard name or an IP address. */
export const hostList: Decoder<readonly string[]> = nonEmpty(checkedStrings(complainHost));

/** Namespaces, `.` for the object's own, `*` for all, `~` for none; the last two stand alone. */
export const exportTo: Decoder<readonly string[]> = transform(
  checkedStrings((text) => ([".", "*", "~"].includes(text) ? undefined : complainLabel(text))),
  (names, place, context) => {
    const alone = names.find((name) => name === "*" || name === "~");
    if (alone !== undefined && names.length > 1) {
      return reportValue(place, context, `must have no other item beside "${alone}"`);
    }
    return new Set(names).size === names.length ? names : reportValue(place, context, "must not name one twice");
  },
);

/** A Service name, a full name, or whatever else Istio takes for a destination; a wildcard stands for no one place. */
export const destinationHost: Decoder<string> = transform(string, (host, place, context) => {
  if (host === "*" || host.startsWith("*")) {
    return reportValue(place, context, "must name one host, not a wildcard");
  }
  const complaint = complainHost(host);
  return complaint === undefined ? host : reportValue(place, context, complaint);
});
