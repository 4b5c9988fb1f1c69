/** The parts of the page that are text: versions, the last ledger, proxies. Built from nodes, never from markup. */
import { styleVersions } from "./colours.js";

const darkQuery = matchMedia("(prefers-color-scheme: dark)");

/** @returns {HTMLElement} an element with attributes and children; text children are text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function fillVersions(table, service, rates) {
  const styles = styleVersions(
    service.versions.map((version) => version.name),
    darkQuery.matches,
  );
  const head = ["version", "role", "share", "ready", "req/s", "err/s"];
  const rows = service.versions.map((version) => {
    const rate = rates.get(version.name) ?? version;
    const ready = `${version.readyEndpoints}/${version.endpoints}`;
    return make(
      "tr",
      {},
      make("td", {}, swatch(styles.get(version.name)), version.name),
      make("td", {}, version.role),
      make("td", { class: "number" }, shareOf(service, version.name)),
      make("td", { class: version.readyEndpoints === 0 ? "number bad" : "number" }, ready),
      make("td", { class: "number" }, rate.requestsPerSecond.toFixed(1)),
      make("td", { class: rate.errorsPerSecond > 0 ? "number bad" : "number" }, rate.errorsPerSecond.toFixed(1)),
    );
  });
  table.replaceChildren(
    make(
      "thead",
      {},
      make("tr", {}, ...head.map((text, index) => make("th", { class: index > 1 ? "number" : "" }, text))),
    ),
    make("tbody", {}, ...rows),
  );
}

/** A short piece of the version's line, drawn with its dash. */
function swatch({ colour, dash }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = { viewBox: "0 0 16 16", class: "swatch", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const lineAttributes = {
    x1: 0,
    y1: 8,
    x2: 16,
    y2: 8,
    stroke: colour,
    "stroke-width": 4,
    "stroke-dasharray": dash.join(" "),
  };
  for (const [name, value] of Object.entries(lineAttributes)) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

/** The version's percent of the public rules; a range where they differ. */
function shareOf(service, version) {
  const shares = service.rules
    .filter((rule) => rule.role === "public" && version in rule.weights)
    .map((rule) => {
      const sum = Object.values(rule.weights).reduce((total, weight) => total + weight, 0);
      return sum === 0 ? 0 : Math.round((rule.weights[version] / sum) * 1000) / 10;
    });
  if (shares.length === 0) return "-";
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  return least === most ? `${least} %` : `${least}-${most} %`;
}

/** @param last the last move: `{title, from, ok, message, callToProofMs, ledger}`, or undefined before the first one. */
export function fillLedger(section, last) {
  const heading = make("h3", {}, "last move");
  if (last === undefined) {
    section.replaceChildren(heading, make("p", { class: "empty" }, "Nothing was moved yet."));
    return;
  }
  section.replaceChildren(heading, make("p", {}, last.title), make("dl", {}, ...ledgerEntries(last).flatMap(toEntry)));
}

function toEntry([name, text, tone]) {
  return [make("dt", {}, name), make("dd", { class: tone ?? "" }, text)];
}

function ledgerEntries({ from, ok, message, callToProofMs, ledger }) {
  const entries = [["result", ok ? "done and proved" : (message ?? "not proved"), ok ? "good" : "bad"]];
  if (callToProofMs !== null && callToProofMs !== undefined) entries.push(["call to proof", renderMs(callToProofMs)]);
  if (ledger === null) return entries;
  const versions = Object.entries(ledger.byVersion).map(([name, count]) => `${name} ${count}`);
  return [
    ...entries,
    [
      "requests",
      `${ledger.requests} = ${ledger.ok} ok + ${ledger.failed} failed`,
      ledger.failed === 0 ? "good" : "bad",
    ],
    ["by version", versions.join(", ")],
    [
      `last answer of ${from}`,
      ledger.lastOldMs === null ? "before the call" : `${renderMs(ledger.lastOldMs)} after the call`,
    ],
    [`${from} after done`, String(ledger.oldAfterDone), ledger.oldAfterDone === 0 ? "good" : "bad"],
  ];
}

function renderMs(ms) {
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

export function fillMesh(section, status) {
  const gateways = status.gateways.map((gateway) => [
    `${gateway.gateway} ${gateway.server}`,
    gateway.hosts.join(", "),
    `port ${gateway.port} at ${gateway.address}`,
  ]);
  const proxies = status.proxies.map((proxy) => [
    proxy.node,
    proxy.pid === undefined ? "" : `pid ${proxy.pid}`,
    stateOf(proxy),
  ]);
  const replicas = status.workloads.flatMap((workload) =>
    workload.replicas.map((replica) => [workload.name, replica.address, readinessOf(replica)]),
  );
  section.replaceChildren(
    ...listing("gateways", gateways),
    ...listing("proxies", proxies),
    ...(replicas.length === 0 ? [] : listing("workloads", replicas)),
  );
}

function stateOf(proxy) {
  if (proxy.unknown !== undefined) return make("span", { class: "warn" }, `not known: ${proxy.unknown}`);
  if (!proxy.connected) return make("span", { class: "bad" }, "not connected");
  const refused = proxy.types.filter((type) => type.nack !== undefined);
  if (refused.length > 0) {
    return make("span", { class: "bad" }, refused.map((type) => `${type.type} refused: ${type.nack}`).join("; "));
  }
  const waiting = proxy.types.filter((type) => type.sentVersion !== type.ackedVersion);
  if (waiting.length > 0)
    return make("span", { class: "warn" }, `waiting for ${waiting.map((type) => type.type).join(", ")}`);
  return make("span", { class: "good" }, "connected, has acknowledged everything");
}

function readinessOf(replica) {
  const restarts = replica.restarts === 0 ? "" : `, ${replica.restarts} restarts`;
  return make("span", { class: replica.ready ? "good" : "bad" }, `${replica.ready ? "ready" : "not ready"}${restarts}`);
}

function listing(title, rows) {
  if (rows.length === 0) return [make("h3", {}, title), make("p", { class: "empty" }, "none")];
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
  return [make("h3", {}, title), make("div", { class: "scroll" }, make("table", {}, make("tbody", {}, ...body)))];
}
