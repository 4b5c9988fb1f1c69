import type { StoreTrouble } from "../../../kubernetes/kind-store.ts";

/** In one sentence without a full stop: nothing is moved while the API server is lost, and traffic stays as it is. */
export function describeTrouble(trouble: StoreTrouble): string {
  switch (trouble.kind) {
    case "lost":
      return `the API server is lost, and traffic stays as it is: ${trouble.error.message}`;
    case "over":
      return `the API server is back after ${Math.ceil(trouble.lostMs / 1_000)} s`;
  }
}
