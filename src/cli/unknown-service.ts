import type { Status } from "../api/types.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";

export function unknownService(name: string, status: Status): KirikaeError {
  return unknownName(
    name,
    status.services.map((service) => service.virtualService),
  );
}

export function unknownName(name: string, known: readonly string[]): KirikaeError {
  return new KirikaeError(
    "KIR5060",
    `There is no VirtualService ${name} whose traffic can be moved, and no release of that name.`,
    {
      exitStatus: 2,
      hint: known.length === 0 ? "The manifests hold none." : `These exist: ${known.join(", ")}.`,
      details: { known },
    },
  );
}
