/**
 * The status page: asks once for what is, then listens to what happens. It gives orders to releases and to nothing else;
 * moving by hand is the command's job.
 */
import { fillLedger, fillMesh, fillVersions, make } from "./cards.js";
import { fillClusterReleases } from "./cluster-releases.js";
import { Graph } from "./graph.js";
import { Releases } from "./releases.js";
import { Traffic } from "./traffic.js";

/** More graphs than anybody watches at a time would only slow the page. */
const maxCards = 24;
const retryMs = 3000;
const statusEveryMs = 5000;

const traffic = new Traffic();
const cards = new Map();
const releases = new Releases(fetchJson);
let status;
let history = [];

const byId = (id) => document.getElementById(id);

async function fetchJson(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (answer.status === 401)
    throw new Error("This browser is no longer signed in. Get a new link with: npx kirikae page");
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}.`);
  return answer.json();
}

async function load() {
  const [samples, newStatus, newHistory] = await Promise.all(
    ["/v1/samples", "/v1/status", "/v1/history"].map(fetchJson),
  );
  await releases.load();
  traffic.load(samples);
  status = newStatus;
  history = newHistory;
  show();
}

/** Services with traffic or moves first, each group in the order of the manifests. */
function shownServices() {
  const { services } = status;
  if (services.length <= maxCards) return services;
  const busy = services.filter(isBusy);
  const quiet = services.filter((service) => !busy.includes(service));
  return [...busy, ...quiet].slice(0, maxCards);
}

function isBusy({ virtualService }) {
  return traffic.isBusy(virtualService) || traffic.moves.some((move) => move.virtualService === virtualService);
}

function show() {
  if (status === undefined) return;
  const services = shownServices();
  const names = new Set(services.map((service) => service.virtualService));
  for (const [name, card] of cards) if (!names.has(name)) dropCard(name, card);
  for (const service of services) showService(service);
  showNotices();
  fillClusterReleases(byId("cluster-releases"), status.clusterReleases ?? []);
  fillMesh(byId("mesh"), status);
}

function dropCard(name, card) {
  card.graph.remove();
  card.element.remove();
  cards.delete(name);
}

function showService(service) {
  const card = cards.get(service.virtualService) ?? addCard(service.virtualService);
  const { element, graph } = card;
  const versions = service.versions.map((version) => version.name);
  element.querySelector(".hosts").textContent = service.hosts.join(", ");
  element.querySelector(".live").textContent =
    service.live === undefined ? "traffic is split" : `${service.live} is live`;
  graph.draw(traffic, versions, releases.marksOf(service.virtualService));
  fillVersions(element.querySelector(".versions"), service, traffic.ratesNow(service.virtualService));
  fillLedger(element.querySelector(".ledger"), lastMove(service.virtualService));
}

function addCard(virtualService) {
  const element = byId("service-template").content.cloneNode(true).querySelector("article");
  element.dataset.service = virtualService;
  element.querySelector("h2").textContent = virtualService;
  element
    .querySelector(".legend")
    .replaceChildren(
      make(
        "li",
        {},
        "Vertical lines mark moves: solid when called, dashed when every proxy had proved it; dotted what else happened to a release.",
      ),
    );
  byId("services").append(element);
  const card = { element, graph: new Graph(element.querySelector(".graph"), virtualService) };
  cards.set(virtualService, card);
  return card;
}

/** Of this run of `up`, else of the journal. */
function lastMove(virtualService) {
  const move = traffic.moves.findLast((one) => one.virtualService === virtualService && one.result !== null);
  if (move !== undefined) {
    const { ok, message, callToProofMs, ledger } = move.result;
    const time = new Date(move.calledAtMs).toLocaleTimeString();
    return {
      title: `${move.verb} from ${move.from} to ${move.to} at ${time}`,
      from: move.from,
      ok,
      message,
      callToProofMs,
      ledger,
    };
  }
  const entry = history.findLast((one) => one.virtualService === virtualService && one.outcome !== "running");
  if (entry === undefined) return undefined;
  const from = mostOf(entry.before);
  const title = `${entry.verb} from ${from} to ${mostOf(entry.after)} at ${new Date(entry.startedAt).toLocaleString()}`;
  return {
    title,
    from,
    ok: entry.outcome === "done",
    message: entry.message,
    callToProofMs: null,
    ledger: entry.ledger,
  };
}

function mostOf(weights) {
  const [first] = Object.entries(weights).toSorted((one, other) => other[1] - one[1]);
  return first?.[0] ?? "nothing";
}

function showNotices(problem) {
  const hidden = (status?.services.length ?? 0) - cards.size;
  const refused = status?.refusedManifests ?? [];
  const texts = [
    ...(problem === undefined ? [] : [problem]),
    ...(refused.length === 0
      ? []
      : [`The saved manifests were refused; the earlier ones still run.\n${refused.join("\n")}`]),
    ...(status?.site?.troubles ?? []),
    ...(hidden > 0 ? [`${hidden} more services are not drawn; \`kirikae status\` lists all.`] : []),
  ];
  byId("notices").replaceChildren(...texts.map((text) => make("p", { class: "notice" }, text)));
}

function showConnection(state, text) {
  const element = byId("connection");
  element.dataset.state = state;
  element.textContent = text;
}

function listen() {
  const events = new EventSource("/v1/events");
  events.addEventListener("open", () => {
    showConnection("live", "live");
    reload();
  });
  events.addEventListener("sample", (event) => {
    traffic.add(JSON.parse(event.data).sample);
    show();
    reloadReleases();
  });
  events.addEventListener("status", (event) => {
    status = JSON.parse(event.data).status;
    show();
  });
  events.addEventListener("release", (event) => {
    releases.take(JSON.parse(event.data).release);
    show();
  });
  events.addEventListener("move", (event) => {
    const { kind } = JSON.parse(event.data).progress;
    if (kind === "proved" || kind === "finished") reload();
  });
  events.addEventListener("error", () => {
    showConnection("lost", "connection lost, trying again");
    if (events.readyState !== EventSource.CLOSED) return;
    reload();
    setTimeout(listen, retryMs);
  });
}

function reload() {
  load().catch((error) => showNotices(error instanceof TypeError ? "kirikae up does not answer." : error.message));
}

/** What the proxies do for releases is asked while somebody looks, a second after it was asked before. */
function reloadReleases() {
  if (document.visibilityState === "visible") releases.load().catch(() => {});
}

listen();
setInterval(reload, statusEveryMs);
