/** What an unknown thrown value says. Where several addresses were tried, Node's error has no text but a code. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === "" && "code" in error ? String(error.code) : error.message;
}
