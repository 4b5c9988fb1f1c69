import type { HTTPFaultSchema } from "../../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
import type { Fault } from "../routes/route-table.ts";
import { emitDuration } from "./duration.ts";
import type { Init } from "./init.ts";
import { emitPercent } from "./percent.ts";

type FaultInit = Init<typeof HTTPFaultSchema>;

/** Emits the failures that a route makes on purpose. */
export function emitFault({ delay, abort }: Fault): FaultInit {
  return {
    ...(delay === undefined
      ? {}
      : {
          delay: {
            faultDelaySecifier: { case: "fixedDelay", value: emitDuration(delay.delayMs) },
            percentage: emitPercent(delay.percent),
          },
        }),
    ...(abort === undefined ? {} : { abort: { errorType: emitAbort(abort), percentage: emitPercent(abort.percent) } }),
  };
}

function emitAbort(abort: NonNullable<Fault["abort"]>) {
  switch (abort.kind) {
    case "http":
      return { case: "httpStatus" as const, value: abort.status };
    case "grpc":
      return { case: "grpcStatus" as const, value: abort.status };
  }
}
