import { userInfo } from "node:os";

/** The account of the system that this process runs as: its name, or its number where it has none, as in a container. */
export function findAccount(): string | undefined {
  try {
    return userInfo().username;
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    const uid = process.getuid?.();
    return uid === undefined ? undefined : `uid ${uid}`;
  }
}
