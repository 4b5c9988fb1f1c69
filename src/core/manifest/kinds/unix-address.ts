/** The system's own bound (`sun_path`), beyond which Envoy refuses all endpoints of a cluster. */
const longestPathBytes = 107;

/** Why a text is not `unix://` and an absolute path or an abstract name, as in `unix:///run/app.sock` or `unix://@app`. */
export function complainUnixAddress(text: string): string | undefined {
  const path = text.slice("unix://".length);
  if (!path.startsWith("@") && (!path.startsWith("/") || path.endsWith("/"))) {
    return `must be unix:// with an absolute path, but is ${JSON.stringify(text)}`;
  }
  const bytes = new TextEncoder().encode(path).length;
  return bytes > longestPathBytes
    ? `must have a path of at most ${longestPathBytes} bytes, which is all that a socket takes, but has one of ${bytes}`
    : undefined;
}

export function isUnixAddress(text: string): boolean {
  return text.startsWith("unix://");
}
