import {
  FractionalPercent_DenominatorType as Denominator,
  type FractionalPercentSchema,
} from "../../gen/envoy/type/v3/percent_pb.ts";
import type { Init } from "./init.ts";

/** Emits a share of 100, to the ten thousandth of a percent, which is what Istio reads. */
export function emitPercent(percent: number): Init<typeof FractionalPercentSchema> {
  return { numerator: Math.round(percent * 10_000), denominator: Denominator.MILLION };
}
