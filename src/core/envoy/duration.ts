import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";

/** Milliseconds, with fractions, as a protobuf duration. */
export function emitDuration(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) });
}

/** The same for a limit that may be absent. */
export function emitOptionalDuration(ms: number | undefined): Duration | undefined {
  return ms === undefined ? undefined : emitDuration(ms);
}
