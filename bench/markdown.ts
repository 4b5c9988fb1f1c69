/** A Markdown table: names in the first column, figures in the others. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map((_, index) => (index === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Milliseconds as a reader wants them: `0.42`, `3.1`, `118`. */
export function renderMs(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  if (Math.abs(value) < 1) return value.toFixed(2);
  return Math.abs(value) < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

export function renderCount(value: number): string {
  return Number.isNaN(value) ? "-" : Math.round(value).toLocaleString("en");
}

export function renderMegabytes(bytes: number): string {
  return Number.isNaN(bytes) ? "-" : `${Math.round(bytes / 1e6)} MB`;
}
