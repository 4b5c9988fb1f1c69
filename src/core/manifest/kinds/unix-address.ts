/** Why a text is not `unix://` and an absolute path or an abstract name, as in `unix:///run/app.sock` or `unix://@app`. */
export function complainUnixAddress(text: string): string | undefined {
  const path = text.slice("unix://".length);
  return path.startsWith("@") || (path.startsWith("/") && !path.endsWith("/"))
    ? undefined
    : `must be unix:// with an absolute path, but is ${JSON.stringify(text)}`;
}

export function isUnixAddress(text: string): boolean {
  return text.startsWith("unix://");
}
