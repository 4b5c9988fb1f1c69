import { create } from "@bufbuild/protobuf";
import { type Runtime, RuntimeSchema } from "../../gen/envoy/service/runtime/v3/rtds_pb.ts";
import type { SplitId, SplitWeights } from "../routes/route-table.ts";
import { epochRuntimeKey, epochSlots, ledgerRuntimeKey, runtimeKeyPrefix, runtimeLayerName } from "./names.ts";

export interface RuntimeValues {
  /** Counts the pushes. */
  readonly epoch: number;
  /** Whether requests are logged to the ledger. */
  readonly isCounting: boolean;
  /** All arms of the splits whose weights are not those of the route configuration. */
  readonly weights: ReadonlyMap<SplitId, SplitWeights>;
}

/** Emits the one runtime layer. Envoy swaps it as a whole, so that any number of splits move in the same instant. */
export function emitRuntime(values: RuntimeValues): Runtime {
  const layer: Record<string, number> = { [epochRuntimeKey(values.epoch % epochSlots)]: 100 };
  if (values.isCounting) layer[ledgerRuntimeKey] = 100;
  for (const [split, weights] of values.weights) {
    const prefix = runtimeKeyPrefix(split);
    for (const [destination, weight] of Object.entries(weights)) layer[`${prefix}.${destination}`] = weight;
  }
  return create(RuntimeSchema, { name: runtimeLayerName, layer });
}
