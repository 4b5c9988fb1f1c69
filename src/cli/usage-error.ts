import { KirikaeError } from "../core/diagnostics/error.ts";

/** The command line is not one that the command understands: exit status 2. */
export function usageError(message: string, hint = "`kirikae help` shows what there is."): KirikaeError {
  return new KirikaeError("KIR5057", message, { exitStatus: 2, hint });
}
