/** The style of a report's page, for light and dark rooms and for paper. Colours come in pairs that are told apart by all. */
export const reportStyle = `
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1f24; --faint: #59636e; --line: #d1d9e0;
  --v0: #0b63c5; --v1: #1a7f37; --v2: #9a6700; --v3: #8250df; --bad: #cf222e; --pass: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d;
    --v0: #58a6ff; --v1: #3fb950; --v2: #d29922; --v3: #bc8cff; --bad: #ff7b72; --pass: #3fb950; }
}
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main, footer { max-width: 68rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; } h3 { font-size: 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.5rem; }
dt { color: var(--faint); } dd { margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1rem 0; } figcaption, footer { color: var(--faint); font-size: 0.9rem; }
svg { width: 100%; height: auto; }
svg text { fill: var(--faint); font-size: 12px; }
.grid { stroke: var(--line); } .mark { stroke: var(--faint); stroke-dasharray: 2 3; }
.bad { fill: var(--bad); stroke: none; opacity: 0.85; }
.line { fill: none; stroke-width: 2; }
.v0 { stroke: var(--v0); } .v1 { stroke: var(--v1); stroke-dasharray: 8 3; }
.v2 { stroke: var(--v2); stroke-dasharray: 2 3; } .v3 { stroke: var(--v3); stroke-dasharray: 8 3 2 3; }
svg .pass { fill: var(--pass); } svg .fail { fill: var(--bad); }
@media print { details { display: block; } }
`;
