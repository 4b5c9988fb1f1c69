import type { Block, Column } from "./outline.ts";
import { outlineReport } from "./outline-report.ts";
import type { ReleaseReport } from "./release-report.ts";

/** A report as GitHub Flavored Markdown, with columns that line up where nothing renders it. */
export function renderMarkdown(report: ReleaseReport): string {
  const { title, blocks } = outlineReport(report);
  return [`# ${escapeMarkdown(title)}`, ...blocks.flatMap(renderBlock)].join("\n\n");
}

function renderBlock(block: Block): readonly string[] {
  switch (block.kind) {
    case "heading":
      return [`${"#".repeat(block.level)} ${escapeMarkdown(block.text)}`];
    case "paragraph":
      return [escapeMarkdown(block.text)];
    case "list":
      return [block.items.map((item) => `- ${escapeMarkdown(item)}`).join("\n")];
    case "facts":
      return [block.facts.map(([name, value]) => `- **${escapeMarkdown(name)}:** ${escapeMarkdown(value)}`).join("\n")];
    case "table":
      return [renderTable(block.head, block.rows)];
    case "graph":
      return [];
  }
}

function renderTable(head: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [head.map(({ title }) => title), ...rows].map((row) => row.map(escapeMarkdown));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const align = (text: string, column: number): string => {
    const width = widths[column] ?? 0;
    return head[column]?.isNumber === true ? text.padStart(width) : text.padEnd(width);
  };
  const rule = head.map(({ isNumber }, column) => {
    const width = widths[column] ?? 0;
    return isNumber === true ? `${"-".repeat(width - 1)}:` : "-".repeat(width);
  });
  const [title = [], ...body] = cells;
  return [title.map(align), rule, ...body.map((row) => row.map(align))]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** What Markdown or the HTML within it could take for more than text (CommonMark 0.31, section 2.4). */
const special = /[\\`*_[\]<>|~&#!@]/gu;
const controls = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** Marks that turn the direction of writing, and tags that nobody sees (Unicode TR 36). */
const deceptive = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u206F\u{E0000}-\u{E007F}]/gu;
/** What begins a list or underlines a heading. */
const marker = /^\s*(?:[-+=]|\d+[.)](?=\s|$))/u;
/** GitHub makes links of these in plain text. */
const links = /(?<scheme>https?|ftp|mailto|xmpp):|\bwww\./giu;

/** Names and reasons are anybody's: every string stands for itself, in one line. */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(controls, " ")
    .replaceAll(deceptive, "\uFFFD")
    .replaceAll(special, "\\$&")
    .replace(marker, (found) => `${found.slice(0, -1)}\\${found.slice(-1)}`)
    .replaceAll(links, (found) => `${found.slice(0, -1)}\\${found.slice(-1)}`);
}
