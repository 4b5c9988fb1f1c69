/** Releases that controllers of clusters carry out: they are shown, and told what to do by command or annotation. */
import { make } from "./cards.js";
import { phaseWords } from "./release-tree.js";

const titles = ["release", "to", "phase", "step", "live", "now"];

/** Those that are over stay for as long as their objects do, and say so. */
export function fillClusterReleases(section, releases) {
  section.hidden = releases.length === 0;
  const rows = releases.map(({ context, release, to, phase, step, weight, message }) =>
    make(
      "tr",
      {},
      make("td", { title: `run by the controller of ${context}` }, release),
      make("td", {}, to),
      make("td", { class: phase === "failed" || phase === "refused" ? "bad" : "" }, phaseWords(phase)),
      make("td", {}, step ?? "-"),
      make("td", {}, weight ?? "-"),
      make("td", {}, message === phase ? "" : message),
    ),
  );
  const head = make("thead", {}, make("tr", {}, ...titles.map((title) => make("th", {}, title))));
  section.querySelector("table").replaceChildren(head, make("tbody", {}, ...rows));
}
