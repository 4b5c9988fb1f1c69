import { createSecret, isSameSecret } from "./secrets.ts";

/** Keys not yet used, and browsers signed in; the oldest give way, so that neither list grows without bound. */
const maxKeys = 64;
const maxSessions = 64;

/**
 * Signs browsers in: a printed link holds a key that works once, and using it makes a session whose secret lives in a
 * cookie. A key in a shell's history or a browser's is therefore worth nothing.
 */
export class PageSessions {
  readonly #keys: string[] = [];
  readonly #sessions: string[] = [];

  createKey(): string {
    const key = createSecret();
    this.#keys.push(key);
    if (this.#keys.length > maxKeys) this.#keys.shift();
    return key;
  }

  /** The secret of a new session; undefined for a key that is unknown or was used. */
  redeem(key: string): string | undefined {
    const index = this.#keys.findIndex((known) => isSameSecret(key, known));
    if (index < 0) return undefined;
    this.#keys.splice(index, 1);
    const session = createSecret();
    this.#sessions.push(session);
    if (this.#sessions.length > maxSessions) this.#sessions.shift();
    return session;
  }

  isSignedIn(session: string | undefined): boolean {
    return session !== undefined && this.#sessions.some((known) => isSameSecret(session, known));
  }
}

/** Cookies do not know ports, so two APIs on one machine would overwrite each other's without the port in the name. */
function cookieName(port: number): string {
  return `kirikae_${port}`;
}

export function renderCookie(port: number, session: string): string {
  return `${cookieName(port)}=${session}; HttpOnly; SameSite=Strict; Path=/`;
}

/** The value of this API's cookie in a Cookie header (RFC 6265, 4.2.1). */
export function readCookie(header: string | undefined, port: number): string | undefined {
  const name = `${cookieName(port)}=`;
  const pair = (header ?? "").split(";").find((part) => part.trimStart().startsWith(name));
  return pair?.trim().slice(name.length);
}
