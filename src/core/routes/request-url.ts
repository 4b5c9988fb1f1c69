import type { SimulatedRequest } from "./simulation.ts";

export interface RequestUrlOptions {
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export type RequestUrlResult =
  | { readonly kind: "request"; readonly request: SimulatedRequest }
  | { readonly kind: "refused"; readonly message: string };

/**
 * The request that a client would send for a URL. The port is that of the gateway server, 80 (443 for https) where the
 * URL names none; the Host header has the port only where the URL names one that is not usual, or is what a `Host`
 * header given beside it says. A fragment stays with the client. The path is not touched: proxies normalize it.
 */
export function parseRequestUrl(url: string, { method, headers }: RequestUrlOptions): RequestUrlResult {
  const parts =
    /^(https?):\/\/(?:[^/?#@]*@)?([^/?#@:[\]]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?([/?][^#]*)?(?:#.*)?$/i.exec(url);
  const [, rawScheme, host, rawPort, rest = "/"] = parts ?? [];
  if (rawScheme === undefined || host === undefined) {
    return { kind: "refused", message: `${url} is no URL of the form http://host[:port]/path.` };
  }
  const scheme = rawScheme.toLowerCase() === "https" ? "https" : "http";
  const usual = scheme === "https" ? 443 : 80;
  const port = rawPort === undefined ? usual : Number(rawPort);
  if (port < 1 || port > 65_535) {
    return { kind: "refused", message: `${url} has the port ${port}; ports are 1 to 65535.` };
  }
  const named = headers.find(([name]) => name.toLowerCase() === "host");
  return {
    kind: "request",
    request: {
      port,
      scheme,
      authority: named?.[1] ?? (port === usual ? host : `${host}:${port}`),
      method,
      target: rest.startsWith("?") ? `/${rest}` : rest,
      headers: headers.filter((header) => header !== named),
    },
  };
}
