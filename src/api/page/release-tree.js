/** One release as the page shows it: the same facts as `kirikae status --watch`, built from nodes. */
import { make } from "./cards.js";

const words = {
  rolledBack: "rolled back",
  rollingBack: "rolling back",
  setting: "setting weights",
  redoing: "bringing back",
};

export function phaseWords(phase) {
  return words[phase] ?? phase;
}

const eventTexts = {
  start: "begun",
  moved: "weights moved and proved",
  turned: "weights go back",
  partlyBack: "partly back",
  moveFailed: "step failed",
  timeUp: "time is over",
  overdue: "took longer than it may",
  overruled: "overruled",
};

/** What happened, without the reason; orders have the words of the command line. */
export function eventWords({ kind, actor, verdict, subsets }) {
  if (kind === "turned" && subsets !== undefined) return "subsets change";
  if (kind === "judged") return `check: ${verdict}`;
  return eventTexts[kind] ?? `${kind}${actor === undefined ? "" : ` by ${actor}`}`;
}

export function fillRelease(element, release, nowMs) {
  const parts = [
    ...describe(release, nowMs),
    listing("steps", stepList(release)),
    ...weights(release),
    ...traffic(release),
    ...check(release),
    ...story(release),
  ];
  element.replaceChildren(...parts);
}

function describe({ release, message, actor, reason, untilMs, limitMs, approval }, nowMs) {
  const lines = [
    ["release", `${release}, started by ${actor}${reason === null ? "" : `: ${reason}`}`],
    ["now", message],
    ...(approval?.given ?? []).map((each) => [
      "yes",
      `${each.actor}${each.reason === null ? "" : `: ${each.reason}`}${each.untilMs === null ? "" : `, counts until ${timeText(each.untilMs)}`}`,
    ]),
    ...(approval === null || approval.given.length >= approval.people
      ? []
      : [
          [
            "missing",
            `${approval.people - approval.given.length} of ${approval.people}${approval.notBy === null ? "" : `, and not ${approval.notBy}, who started it`}`,
          ],
        ]),
    ...(untilMs === null ? [] : [["until", `${timeText(untilMs)}, ${leftText(untilMs - nowMs)} left`]]),
    ...(limitMs === null ? [] : [["has to end by", `${timeText(limitMs)}, ${leftText(limitMs - nowMs)} left`]]),
  ];
  return [make("dl", {}, ...lines.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]))];
}

function stepList({ steps }) {
  const items = steps.map(({ kind, state, summary }) => {
    const item = make("li", { "data-state": state }, make("strong", {}, kind), ` ${summary} `, make("em", {}, state));
    if (state === "now") item.setAttribute("aria-current", "step");
    return item;
  });
  return make("ol", { class: "steps" }, ...items);
}

function weights({ live, phase }) {
  if (live === null || live.rules.length === 0) return [];
  const isMoving = ["moving", "rollingBack", "setting", "redoing"].includes(phase);
  const rows = live.rules.map(({ virtualService, rule, name, wanted, observed, isAsWanted }) => {
    const seen = observed === null ? "could not be asked" : shares(observed);
    const isWrong = isAsWanted === false && !isMoving;
    const said = isWrong ? `NOT AS WANTED: ${seen}` : seen;
    return [
      `${virtualService} rule ${rule}${name === null ? "" : ` (${name})`}`,
      shares(wanted),
      make("span", { class: isWrong ? "bad shout" : observed === null ? "warn" : "" }, said),
    ];
  });
  return [listing("weights", table(["rule", "wanted", "observed at the proxies"], rows))];
}

function traffic({ live }) {
  if (live === null || live.versions.length === 0) return [];
  const rows = live.versions.map(({ virtualService, name, requestsPerSecond, errorsPerSecond, latency }) => {
    const share = requestsPerSecond === 0 ? 0 : Math.min(100, (100 * errorsPerSecond) / requestsPerSecond);
    return [
      `${virtualService} ${name}`,
      requestsPerSecond.toFixed(1),
      make("span", { class: errorsPerSecond > 0 ? "bad" : "" }, `${(Math.ceil(share * 100) / 100).toFixed(2)} %`),
      latency === null ? "-" : msText(latency.p50Ms),
      latency === null ? "-" : msText(latency.p99Ms),
    ];
  });
  return [listing("traffic", table(["version", "req/s", "errors", "p50", "p99"], rows))];
}

function check({ check: progress, to }) {
  if (progress === null) return [];
  const figures = [
    [to, progress.fresh],
    ["the version before", progress.live],
  ].map(([name, { requests, errors, latency }]) => [
    name,
    `${requests} requests, ${errors} errors`,
    latency.map(({ percentile, ms }) => `p${percentile} ${msText(ms)}`).join(", "),
  ]);
  const judges = progress.judges.map(
    ({ name, kind, verdict, isDryRun, asked, passed, failed, inconclusive, detail }) => [
      `${name} (${kind}${isDryRun ? ", dry run" : ""})`,
      make("span", { class: { pass: "good", fail: "bad", unknown: "warn" }[verdict] ?? "" }, verdict ?? "being asked"),
      `asked ${asked} times: ${passed} yes, ${failed} no, ${inconclusive} unknown${detail === undefined ? "" : `; last: ${detail}`}`,
    ],
  );
  const title = progress.isDryRun ? "check, a dry run" : "check";
  return [listing(title, table(["what", "so far", "detail"], [...figures, ...judges]))];
}

const shownEvents = 12;

function story({ events = [] }) {
  if (events.length === 0) return [];
  const rows = events
    .slice(-shownEvents)
    .toReversed()
    .map((event) => [
      make("span", { class: "time" }, timeText(event.atMs)),
      eventWords(event),
      event.reason ?? event.detail ?? "",
    ]);
  return [listing("last events", table(["time", "what", "why"], rows))];
}

function listing(title, content) {
  return make("section", {}, make("h3", {}, title), content);
}

function table(heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
  return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
}

function shares(byVersion) {
  return Object.entries(byVersion)
    .map(([version, percent]) => `${version} ${percent} %`)
    .join(", ");
}

function msText(ms) {
  if (ms < 1) return "<1 ms";
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function timeText(atMs) {
  return new Date(atMs).toLocaleTimeString([], { hour12: false });
}

function leftText(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
