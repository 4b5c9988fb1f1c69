import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOptionSchema,
} from "../../gen/envoy/config/core/v3/base_pb.ts";
import type { HeaderMutation } from "../routes/route-table.ts";
import type { Init } from "./init.ts";

/** The four fields that routes and weighted clusters have in common. */
export interface HeaderFields {
  requestHeadersToAdd: Init<typeof HeaderValueOptionSchema>[];
  requestHeadersToRemove: string[];
  responseHeadersToAdd: Init<typeof HeaderValueOptionSchema>[];
  responseHeadersToRemove: string[];
}

export function emitHeaderFields(request: HeaderMutation, response: HeaderMutation): HeaderFields {
  return {
    requestHeadersToAdd: emitAdded(request),
    requestHeadersToRemove: [...request.remove],
    responseHeadersToAdd: emitAdded(response),
    responseHeadersToRemove: [...response.remove],
  };
}

function emitAdded(mutation: HeaderMutation): Init<typeof HeaderValueOptionSchema>[] {
  return [
    ...mutation.set.map(([key, value]) => ({
      header: { key, value },
      appendAction: AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    })),
    ...mutation.add.map(([key, value]) => ({
      header: { key, value },
      appendAction: AppendAction.APPEND_IF_EXISTS_OR_ADD,
    })),
  ];
}
