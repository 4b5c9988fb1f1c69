import type { ApiBackend } from "./types.ts";

export interface ApiOptions {
  /** Where the token is written, readable by this user only; it is removed when the API stops. */
  readonly tokenFile: string;
  /** 0, the default, takes a free port. */
  readonly port?: number | undefined;
}

export interface RunningApi extends AsyncDisposable {
  /** `http://127.0.0.1:N`. */
  readonly url: string;
  /** A link to the status page that signs one browser in, once. */
  pageUrl(): string;
}

/** Serves the API and the status page of one mesh on loopback. Throws KIR5056 when the port cannot be taken. */
export async function startApi(_backend: ApiBackend, _options: ApiOptions): Promise<RunningApi> {
  throw new Error("not yet");
}
