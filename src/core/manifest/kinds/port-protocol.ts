import { transform } from "../decode/collections.ts";
import { type Decoder, reportValue } from "../decode/decoder.ts";
import { didYouMean, listNames } from "../decode/nearest-name.ts";
import { string } from "../decode/scalars.ts";
import { portProtocols } from "../names.ts";

/** A port's protocol, in any case as Istio takes it, given in upper case. */
export const portProtocol: Decoder<string> = transform(string, (text, place, context) => {
  const name = text.toUpperCase();
  if (portProtocols.some((known) => known === name)) {
    return name;
  }
  return reportValue(place, context, {
    complaint: `is ${JSON.stringify(text)}, which is none of ${listNames(portProtocols, 20)}`,
    hint: () => didYouMean(name, portProtocols),
  });
});

/** As `portProtocol`; Istio takes an empty one for none, which is TCP. */
export const protocolOrNone: Decoder<string> = (place, context) =>
  place.value.kind === "string" && place.value.value === "" ? "TCP" : portProtocol(place, context);
