import { create } from "@bufbuild/protobuf";
import { type Runtime, RuntimeSchema } from "../../gen/envoy/service/runtime/v3/rtds_pb.ts";
import type { SplitWeights } from "../routes/route-table.ts";
import { epochRuntimeKey, epochSlots, ledgerRuntimeKey, runtimeLayerName, type RuntimeKeyPrefix } from "./names.ts";

/** Weights of all arms, by what `runtimeKeyPrefix` makes of a split and its arms. */
export type RuntimeWeights = ReadonlyMap<RuntimeKeyPrefix, SplitWeights>;

export interface RuntimeValues {
  /** Counts the pushes. */
  readonly epoch: number;
  /** Whether requests are logged to the ledger. */
  readonly isCounting: boolean;
  /** Of the splits whose weights are not those of the route configuration. */
  readonly weights: RuntimeWeights;
}

/** Emits the one runtime layer. Envoy swaps it as a whole, so that any number of splits move in the same instant. */
export function emitRuntime(values: RuntimeValues): Runtime {
  const layer: Record<string, number | string> = { [epochRuntimeKey(values.epoch % epochSlots)]: 100 };
  if (values.isCounting) layer[ledgerRuntimeKey] = 100;
  for (const [prefix, weights] of values.weights) {
    for (const [destination, weight] of Object.entries(weights)) layer[`${prefix}.${destination}`] = emitNumber(weight);
  }
  return create(RuntimeSchema, { name: runtimeLayerName, layer });
}

/**
 * Envoy shows a number of a layer with six digits (`absl::StrCat` of a double), and what it shows is how a move is proved;
 * of a text it shows every character, and reads the same integer from it (Envoy: source/common/runtime/runtime_impl.cc,
 * `SnapshotImpl::createEntry`).
 */
function emitNumber(weight: number): number | string {
  return Number(weight.toPrecision(shownDigits)) === weight ? weight : String(weight);
}

const shownDigits = 6;
