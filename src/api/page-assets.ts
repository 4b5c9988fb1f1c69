import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";

export interface PageAsset {
  /** The path it is served at. */
  readonly path: string;
  readonly contentType: string;
  readonly file: string;
}

const scriptType = "text/javascript; charset=utf-8";
const styleType = "text/css; charset=utf-8";

/** Every file that the page loads; nothing else of the disk is ever served. */
export function pageAssets(): readonly PageAsset[] {
  const uplot = dirname(createRequire(import.meta.url).resolve("uplot"));
  const scripts = [
    "page.js",
    "traffic.js",
    "graph.js",
    "cards.js",
    "cluster-releases.js",
    "colours.js",
    "releases.js",
    "release-tree.js",
    "orders.js",
  ];
  return [
    ...scripts.map((name) => ({ path: `/assets/${name}`, contentType: scriptType, file: ownFile(name) })),
    { path: "/assets/page.css", contentType: styleType, file: ownFile("page.css") },
    { path: "/assets/icon.svg", contentType: "image/svg+xml", file: ownFile("icon.svg") },
    { path: "/assets/uplot.js", contentType: scriptType, file: join(uplot, "uPlot.esm.js") },
    { path: "/assets/uplot.css", contentType: styleType, file: join(uplot, "uPlot.min.css") },
  ];
}

/** `index.html` for who is signed in, `sign-in.html` for who is not. */
export function readPage(name: "index.html" | "sign-in.html" | "reload.html"): Promise<string> {
  return readFile(new URL(`page/${name}`, import.meta.url), "utf8");
}

function ownFile(name: string): string {
  return fileURLToPath(new URL(`page/${name}`, import.meta.url));
}
