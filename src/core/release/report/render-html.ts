import { escapeHtml } from "./escape-html.ts";
import type { Block, Column } from "./outline.ts";
import { outlineReport } from "./outline-report.ts";
import type { ReleaseReport } from "./release-report.ts";
import { renderGraph } from "./render-graph.ts";
import { reportStyle } from "./report-style.ts";

/**
 * A report as one page that needs nothing else: no script, and nothing that is loaded from anywhere. The policy in its
 * head keeps it so, whatever is in the names.
 */
export function renderHtml(report: ReleaseReport): string {
  const { title, blocks } = outlineReport(report);
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${reportStyle}</style>`,
    "</head>",
    "<body>",
    "<main>",
    `<h1>${escapeHtml(title)}</h1>`,
    ...blocks.map((block, index) => renderBlock(block, { report, before: blocks[index - 1] })),
    "</main>",
    `<footer>Made by kirikae at <time>${escapeHtml(report.madeAt)}</time>.</footer>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

interface Place {
  readonly report: ReleaseReport;
  readonly before: Block | undefined;
}

function renderBlock(block: Block, { report, before }: Place): string {
  switch (block.kind) {
    case "heading":
      return `<h${block.level}>${escapeHtml(block.text)}</h${block.level}>`;
    case "paragraph":
      return `<p>${escapeHtml(block.text)}</p>`;
    case "list":
      return `<ul>\n${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join("\n")}\n</ul>`;
    case "facts":
      return `<dl>\n${block.facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join("\n")}\n</dl>`;
    case "graph":
      return renderGraph(report);
    case "table": {
      const table = renderTable(block.head, block.rows);
      // The figures of a graph are there for who wants them.
      return before?.kind === "graph" ? `<details><summary>The same in figures</summary>\n${table}\n</details>` : table;
    }
  }
}

function renderTable(head: readonly Column[], rows: readonly (readonly string[])[]): string {
  const classOf = (column: number): string => (head[column]?.isNumber === true ? ' class="number"' : "");
  const titles = head.map(({ title }, column) => `<th scope="col"${classOf(column)}>${escapeHtml(title)}</th>`);
  const body = rows.map(
    (row) => `<tr>${row.map((cell, column) => `<td${classOf(column)}>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  return `<div class="wide"><table>\n<thead><tr>${titles.join("")}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody>\n</table></div>`;
}
