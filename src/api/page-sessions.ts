import { createSecret, isSameSecret } from "./secrets.ts";

/** Keys not yet used, and browsers signed in; the oldest give way, so that neither list grows without bound. */
const maxKeys = 64;
const maxSessions = 64;

/**
 * Signs browsers in: a printed link holds a key that works once, and using it makes a session whose secret lives in a
 * cookie. A key in a shell's history or a browser's is therefore worth nothing.
 */
export class PageSessions {
  readonly #keys: Secret[] = [];
  readonly #sessions: Secret[] = [];

  /** Who uses the key is this person, for the history. */
  createKey(actor: string): string {
    const secret = createSecret();
    this.#keys.push({ secret, actor });
    if (this.#keys.length > maxKeys) this.#keys.shift();
    return secret;
  }

  /** The secret of a new session; undefined for a key that is unknown or was used. */
  redeem(key: string): string | undefined {
    const index = this.#keys.findIndex(({ secret }) => isSameSecret(key, secret));
    const [used] = index < 0 ? [] : this.#keys.splice(index, 1);
    if (used === undefined) return undefined;
    const secret = createSecret();
    this.#sessions.push({ secret, actor: used.actor });
    if (this.#sessions.length > maxSessions) this.#sessions.shift();
    return secret;
  }

  /** Who is signed in with this secret; undefined for nobody. */
  actorOf(session: string | undefined): string | undefined {
    return session === undefined
      ? undefined
      : this.#sessions.find(({ secret }) => isSameSecret(session, secret))?.actor;
  }

  isSignedIn(session: string | undefined): boolean {
    return this.actorOf(session) !== undefined;
  }
}

interface Secret {
  readonly secret: string;
  readonly actor: string;
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
