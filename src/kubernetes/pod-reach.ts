/**
 * How pods are asked, whose debug pages listen on their own loopback: through an address that somebody has named,
 * else by a port-forward of the API server, else by its proxy.
 */
export interface PodReach extends AsyncDisposable {
  /** GET; the body where it was answered with 200. Rejects with KIR4010 where no way leads there. */
  get(place: PodPlace, path: string, options?: ReachOptions): Promise<string>;
}

export interface PodPlace {
  readonly pod: { readonly namespace: string; readonly name: string };
  readonly port: number;
}

export interface ReachOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}
