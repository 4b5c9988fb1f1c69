import type { Position } from "../diagnostics/position.ts";
import type { HttpMatch } from "../manifest/virtual-service.ts";

/** A match without a condition. */
export function anyRequest(at: Position): HttpMatch {
  return {
    name: undefined,
    uri: undefined,
    ignoreUriCase: false,
    scheme: undefined,
    method: undefined,
    authority: undefined,
    headers: {},
    withoutHeaders: {},
    queryParams: {},
    port: undefined,
    gateways: [],
    sourceLabels: {},
    sourceNamespace: undefined,
    statPrefix: undefined,
    at,
  };
}
