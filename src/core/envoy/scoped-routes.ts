import { create, toBinary } from "@bufbuild/protobuf";
import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type MetadataSchema,
} from "../../gen/envoy/config/core/v3/base_pb.ts";
import type { TypedExtensionConfigSchema } from "../../gen/envoy/config/core/v3/extension_pb.ts";
import { FilterConfigSchema } from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import type { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import {
  type ScopedRouteConfiguration,
  ScopedRouteConfigurationSchema,
} from "../../gen/envoy/config/route/v3/scoped_route_pb.ts";
import { LuaSchema } from "../../gen/envoy/extensions/filters/http/lua/v3/lua_pb.ts";
import type { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { HeaderMutationSchema } from "../../gen/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation_pb.ts";
import { hashText } from "../routes/hash-text.ts";
import type { HttpRouting } from "../routes/route-table.ts";
import { emitAdsSource } from "./config-sources.ts";
import { emitExtension, type Extension, packSettings } from "./extension.ts";
import type { Init } from "./init.ts";
import { hasOwnScope, maxWildcardLabels, scopedPartName, scopeOf, sharedScope } from "./route-forms.ts";

// A scope is found by a whole key: no wildcard, no letter case, no port. So the key is a header of its own, which is
// written over whatever a client sends before Envoy looks for routes, and is cut at the first colon. A request that
// finds no virtual host by it passes a few small filters: the first tries the key in lower case, others the scopes of
// wildcards, from that with the most labels to that with the fewest, as Envoy prefers them, and the last takes the scope
// that holds all other hosts, among which Envoy chooses as it always does. Each asks once whether a host was found,
// because Envoy keeps the answer for the filter. Where a host was found they are off, and cost nothing.
// Envoy: scoped_rds.cc, ScopeKeyBuilder; conn_manager_impl.cc, refreshCachedRoute; config_impl.cc, findVirtualHost.

const scopeHeader = "x-kirikae-scope";
/** One name for all of these filters: virtual hosts speak to filters by name, and so to all of them at once. */
const scopeFilter = "kirikae.scope";
const found = "found";

/** How a connection manager finds the routes of a scoped routing. */
export interface ScopeLookup {
  readonly routeSpecifier: Extract<Init<typeof HttpConnectionManagerSchema>["routeSpecifier"], object>;
  readonly earlyHeaderMutationExtensions: Init<typeof TypedExtensionConfigSchema>[];
  /** In front of all other filters. */
  readonly filters: readonly Extension[];
}

export function emitScopeLookup(routing: string): ScopeLookup {
  const key = `${keyPrefix(routing)}%REQ(:AUTHORITY)%`;
  const append = {
    header: { key: scopeHeader, value: key },
    appendAction: AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  };
  return {
    routeSpecifier: {
      case: "scopedRoutes",
      value: {
        name: routing,
        scopeKeyBuilder: {
          fragments: [
            {
              type: {
                case: "headerValueExtractor",
                value: { name: scopeHeader, elementSeparator: ":", extractType: { case: "index", value: 0 } },
              },
            },
          ],
        },
        rdsConfigSource: emitAdsSource(),
        configSpecifier: { case: "scopedRds", value: { scopedRdsConfigSource: emitAdsSource() } },
      },
    },
    earlyHeaderMutationExtensions: [
      {
        name: "envoy.http.early_header_mutation.header_mutation",
        typedConfig: packSettings(HeaderMutationSchema, {
          mutations: [{ action: { case: "append", value: append } }],
        }),
      },
    ],
    filters: [
      lowerCaseScript,
      ...wildcardLabels.map((labels) => wildcardScript(keyPrefix(routing), labels)),
      sharedScript(`${keyPrefix(routing)}${sharedScope}`),
    ].map((script) => emitExtension(scopeFilter, LuaSchema, emitSource(script))),
  };
}

/** All connection managers share one list of scopes, so that the key tells the routings apart. */
function keyPrefix(routing: string): string {
  return `${hashText(routing)}/`;
}

function emitSource(script: string): Init<typeof LuaSchema> {
  return { defaultSourceCode: { specifier: { case: "inlineString", value: script } } };
}

const isFound = `handle:virtualHost():metadata():get("${found}") ~= nil`;

/** What `lower` does to other than ASCII letters does not count: a scope has none. */
const lowerCaseScript = `function envoy_on_request(handle)
  if ${isFound} then return end
  local headers = handle:headers()
  local key = headers:get("${scopeHeader}")
  if key == nil then return end
  local lower = string.lower(key)
  if lower == key then return end
  headers:replace("${scopeHeader}", lower)
  handle:clearRouteCache()
end
`;

/** How many labels stand behind the `*.` of the scopes that are tried, one after another. */
const wildcardLabels = Array.from({ length: maxWildcardLabels }, (_, index) => maxWildcardLabels - index);

/** No name is longer (RFC 1035 2.3.4), so that a client cannot ask for more work by a longer one. */
const longestName = 253;

/** The filters before it may have left the key of a longer wildcard, whose last labels are those of the host. */
function wildcardScript(prefix: string, labels: number): string {
  return `function envoy_on_request(handle)
  if ${isFound} then return end
  local headers = handle:headers()
  local host = string.match(headers:get("${scopeHeader}") or "", "^[^/]*/([^:]*)") or ""
  local dots = 0
  for at = #host, math.max(1, #host - ${longestName}), -1 do
    if string.byte(host, at) == 46 then dots = dots + 1 end
    if dots == ${labels} then
      headers:replace("${scopeHeader}", "${prefix}*" .. string.sub(host, at))
      handle:clearRouteCache()
      return
    end
  end
end
`;
}

function sharedScript(key: string): string {
  return `function envoy_on_request(handle)
  if ${isFound} then return end
  handle:headers():replace("${scopeHeader}", "${key}")
  handle:clearRouteCache()
end
`;
}

/** What the route configurations of a scoped routing have beside those of a whole one. */
export function emitScopedSettings(isShared: boolean): Init<typeof RouteConfigurationSchema> {
  return { requestHeadersToRemove: [scopeHeader], typedPerFilterConfig: isShared ? {} : filtersOff };
}

const off = packSettings(FilterConfigSchema, { disabled: true, config: { typeUrl: "", value: new Uint8Array() } });
const filtersOff = { [scopeFilter]: off };

/** Tells the filters that a scope was found, also where no route of it takes the request. */
export const foundMetadata: Init<typeof MetadataSchema> = {
  filterMetadata: { [scopeFilter]: { [found]: true } },
};

/** Emits the scopes of a routing, one for each name and one for all that have none. */
function emitScopes(routing: HttpRouting): readonly ScopedRouteConfiguration[] {
  const parts = new Map([[sharedScope, `${routing.id}/${sharedScope}`]]);
  for (const host of routing.virtualHosts) {
    for (const name of [scopeOf(host), ...(hasOwnScope(host) ? (host.aliases ?? []) : [])]) {
      parts.set(name, scopedPartName(routing.id, host));
    }
  }
  return [...parts].map(([name, part]) =>
    create(ScopedRouteConfigurationSchema, {
      name: `${routing.id}/${name}`,
      routeConfigurationName: part,
      key: { fragments: [{ type: { case: "stringKey", value: `${keyPrefix(routing.id)}${name}` } }] },
    }),
  );
}

/** The bytes of `emitScopes`, by name; the same map for the same hosts. */
export function encodeScopes(routing: HttpRouting): ReadonlyMap<string, Uint8Array> {
  return new Map(
    emitScopes(routing).map((scope) => [scope.name, toBinary(ScopedRouteConfigurationSchema, scope)] as const),
  );
}
