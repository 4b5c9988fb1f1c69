/** The releases of the page: the list, the chosen one, and what it can be told. */
import { make } from "./cards.js";
import { OrderDialog, wordOf } from "./orders.js";
import { eventWords, fillRelease, phaseWords } from "./release-tree.js";

const listed = 20;
const byId = (id) => document.getElementById(id);

export class Releases {
  #fetchJson;
  #all = [];
  #chosen;
  /** What the chosen one can be told, and in which of its states that was asked. */
  #choices = { key: "", list: [] };
  #dialog;
  #loading;

  /** @param {(path: string) => Promise<any>} fetchJson */
  constructor(fetchJson) {
    this.#fetchJson = fetchJson;
    this.#dialog = new OrderDialog((said) => {
      byId("releases-said").textContent = said;
      this.load().catch(() => {});
    });
  }

  /** Asks for the list and, while somebody looks, what the proxies do. One answer at a time. */
  load() {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** A release has changed: what the stream says is newer than what was asked for. */
  take(release) {
    const index = this.#all.findIndex(({ id }) => id === release.id);
    if (index < 0) this.#all = [release, ...this.#all];
    else this.#all = this.#all.with(index, { ...release, live: this.#all[index].live });
    this.#show();
    this.load().catch(() => {});
  }

  /** What happened to releases of a service, for the marks in its graph. */
  marksOf(virtualService) {
    return this.#all.flatMap(({ services, release, startedAt, lastEvent, events = [] }) => {
      if (!services.includes(virtualService)) return [];
      const name = release.split("/")[1];
      const all = events.length > 0 ? events : lastEvent === null ? [] : [lastEvent];
      const begin = { atMs: Date.parse(startedAt), text: `${name} starts` };
      return [begin, ...all.flatMap((event) => markOf(name, event))];
    });
  }

  async #load() {
    const live = document.visibilityState === "visible";
    this.#all = await this.#fetchJson(`/v1/releases?limit=${listed}${live ? "&live=true" : ""}`);
    const chosen = this.#all.find(({ id }) => id === this.#chosen) ?? this.#all.find(isActive) ?? this.#all[0];
    this.#chosen = chosen?.id;
    if (chosen !== undefined) await this.#loadChosen(chosen);
    this.#show();
  }

  /** Its events and its choices change only with it. */
  async #loadChosen(chosen) {
    const key = `${chosen.id} ${chosen.phase} ${chosen.lastEvent?.atMs}`;
    if (this.#choices.key !== key) {
      const [whole, list] = await Promise.all(
        ["", "/choices"].map((end) => this.#fetchJson(`${pathOf(chosen)}${end}`)),
      );
      this.#choices = { key, list, events: whole.id === chosen.id ? whole.events : [] };
      if (whole.id !== chosen.id) this.#choices.list = [];
    }
    chosen.events = this.#choices.events;
  }

  #show() {
    const section = byId("releases");
    section.hidden = this.#all.length === 0;
    const chosen = this.#all.find(({ id }) => id === this.#chosen);
    this.#showList();
    if (chosen === undefined) return;
    fillRelease(byId("release"), chosen, Date.now());
    this.#showOrders(chosen);
  }

  /** Items stay where they are while they stay the same, so that a click on one is not lost. */
  #showList() {
    const list = byId("release-list");
    const key = JSON.stringify([this.#chosen, ...this.#all.map(({ id, phase, step }) => [id, phase, step])]);
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
    list.replaceChildren(...this.#all.map((release) => this.#item(release)));
    if (focused !== undefined) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  #item(release) {
    const { id, release: name, to, phase, step, steps } = release;
    const place = step === null ? "" : `, step ${step} of ${steps.length}`;
    const button = make(
      "button",
      { type: "button", "aria-pressed": String(id === this.#chosen), "data-id": id },
      `${name} to ${to}`,
    );
    button.addEventListener("click", () => {
      this.#chosen = id;
      this.#show();
      this.load().catch(() => {});
    });
    return make("li", {}, button, make("span", { class: toneOf(phase) }, `${phaseWords(phase)}${place}`));
  }

  /** Buttons stay where they are while they stay the same, so that a click or a reader is not lost. */
  #showOrders(release) {
    const box = byId("release-orders");
    const { key, list } = this.#choices;
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    const path = pathOf(release);
    box.replaceChildren(
      ...list.map((choice) => {
        const word = wordOf(choice.command, release.phase);
        const button = make("button", { type: "button", "data-order": word }, word);
        button.addEventListener("click", () => {
          void this.#dialog.ask({ path, release, choice });
        });
        return button;
      }),
    );
  }
}

function pathOf({ release }) {
  return `/v1/releases/${release.split("/").map(encodeURIComponent).join("/")}`;
}

function isActive({ phase }) {
  return phase !== "done" && phase !== "aborted" && phase !== "rolledBack";
}

function toneOf(phase) {
  if (phase === "failed") return "bad";
  if (phase === "done") return "good";
  return phase === "awaiting" || phase === "paused" || phase === "frozen" ? "warn" : "";
}

/** `isMove` is drawn only where no move has a mark of its own. */
function markOf(name, event) {
  const { kind, atMs } = event;
  if (kind === "start" || (kind === "turned" && event.subsets === undefined)) return [];
  return [{ atMs, text: `${name}: ${eventWords(event)}`, isMove: kind === "moved" }];
}
