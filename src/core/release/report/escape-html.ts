const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What a name could use to be read as something else: control characters, and marks that turn the direction of writing. */
const deceptive = /(?![\n\t])\p{Cc}|[\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u206F\u{E0000}-\u{E007F}]/gu;

/** Text for between tags and within quoted attributes: it stands for itself wherever it is put. */
export function escapeHtml(text: string): string {
  return text.replaceAll(deceptive, "\uFFFD").replaceAll(/[&<>"']/gu, (found) => entities[found] ?? "");
}
