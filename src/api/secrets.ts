import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 random bits in URL-safe letters. */
export function createSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Compares in a time that does not depend on where the two differ, nor on their lengths. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
