/** One service's requests per second by version, its errors, and a mark where each move was called and done. */
import uPlot from "./uplot.js";
import { errorColour, styleVersions } from "./colours.js";
import { windowSeconds } from "./traffic.js";

const height = 240;
/** Below it, older marks keep their line and lose their text. */
const maxLabelRows = 3;
const darkQuery = matchMedia("(prefers-color-scheme: dark)");

export class Graph {
  #element;
  #virtualService;
  #versions = [];
  #plot;
  #moves = [];
  /** What happened to releases: `{atMs, text}`. */
  #marks = [];
  #observer;

  constructor(element, virtualService) {
    this.#element = element;
    this.#virtualService = virtualService;
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(element);
    darkQuery.addEventListener("change", () => this.#rebuild());
  }

  /** @param {import("./traffic.js").Traffic} traffic */
  draw(traffic, versions, marks = []) {
    this.#moves = traffic.moves.filter((move) => move.virtualService === this.#virtualService);
    this.#marks = marks.filter((mark) => !mark.isMove || !this.#moves.some((move) => isNear(move, mark)));
    const hasSameLines = versions.join("\n") === this.#versions.join("\n");
    this.#versions = versions;
    const columns = traffic.columns(this.#virtualService, versions);
    const end = Math.max(traffic.newestSeconds, 1);
    if (this.#plot === undefined || !hasSameLines) this.#rebuild(columns);
    else this.#plot.setData(columns, false);
    this.#plot.batch(() => {
      this.#plot.setScale("x", { min: end - windowSeconds, max: end });
      this.#plot.setScale("y", rangeOf(columns));
    });
    this.#describe(columns);
  }

  remove() {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }

  #rebuild(columns = this.#plot?.data) {
    if (columns === undefined) return;
    const scales = this.#plot?.scales;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), columns, this.#element);
    if (scales !== undefined) this.#plot.setScale("x", { min: scales.x.min, max: scales.x.max });
    if (scales !== undefined) this.#plot.setScale("y", { min: scales.y.min, max: scales.y.max });
  }

  #fit() {
    this.#plot?.setSize({ width: this.#element.clientWidth, height });
  }

  #options() {
    const isDark = darkQuery.matches;
    const styles = styleVersions(this.#versions, isDark);
    const quiet = isDark ? "#a3afbb" : "#55616e";
    const grid = { stroke: isDark ? "#2a333d" : "#e4e9ee", width: 1 };
    const font = "12px system-ui, sans-serif";
    return {
      width: Math.max(this.#element.clientWidth, 200),
      height,
      cursor: { points: { size: 6 }, drag: { x: false, y: false } },
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      axes: [
        { stroke: quiet, grid, ticks: grid, font, size: 34, space: 80, values: (_plot, ticks) => ticks.map(timeText) },
        { stroke: quiet, grid, ticks: grid, font, size: 56, label: "requests/s", labelFont: font, labelSize: 18 },
      ],
      series: [
        {
          label: "time",
          value: (_plot, seconds) => (seconds === null ? "-" : timeText(seconds)),
        },
        ...this.#versions.map((label) => ({
          label,
          value: rateText,
          stroke: styles.get(label).colour,
          dash: styles.get(label).dash,
          width: 2.5,
          fill: `${styles.get(label).colour}1a`,
          points: { show: false },
        })),
        { label: "errors", value: rateText, stroke: errorColour[isDark ? 1 : 0], width: 2, points: { show: false } },
      ],
      hooks: { draw: [(plot) => this.#drawMarks(plot)] },
    };
  }

  #drawMarks(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = darkQuery.matches ? "#e8edf2" : "#17202a";
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.font = `600 ${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textBaseline = "top";
    const labels = new Labels(plot);
    for (const move of this.#moves.toReversed()) {
      const call = plot.valToPos(move.calledAtMs / 1000, "x", true);
      if (call < bbox.left || call > bbox.left + bbox.width) continue;
      drawVertical(plot, call, []);
      if (move.doneAtMs !== null) drawVertical(plot, plot.valToPos(move.doneAtMs / 1000, "x", true), [4, 4]);
      labels.draw(call, labelOf(move));
    }
    for (const { atMs, text } of this.#marks.toReversed()) {
      const at = plot.valToPos(atMs / 1000, "x", true);
      if (at < bbox.left || at > bbox.left + bbox.width) continue;
      drawVertical(plot, at, [1, 3]);
      labels.draw(at, text);
    }
    ctx.restore();
  }

  /** What a graph shows, for who cannot see it. */
  #describe(columns) {
    const now = this.#versions.map((name, index) => `${name} ${(columns[index + 1].at(-1) ?? 0).toFixed(1)}`);
    const errors = columns.at(-1).at(-1) ?? 0;
    const text = `Requests per second of ${this.#virtualService}: ${now.join(", ")}; errors ${errors.toFixed(1)}; ${this.#moves.length} moves marked, ${this.#marks.length} events of releases.`;
    this.#element.setAttribute("aria-label", text);
  }
}

function timeText(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

function rateText(_plot, rate) {
  return rate === null ? "-" : `${rate.toFixed(rate < 100 ? 1 : 0)}/s`;
}

function rangeOf(columns) {
  const most = columns
    .slice(1)
    .reduce((top, column) => column.reduce((high, rate) => Math.max(high, rate ?? 0), top), 0);
  // The head room is for the marks' labels.
  return { min: 0, max: Math.max(most * 1.25, 1) };
}

function drawVertical({ ctx, bbox }, x, dash) {
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
}

/** Texts beside their lines, on the side where there is room; one that would lie over another goes a row down. */
class Labels {
  #plot;
  #taken = [];

  constructor(plot) {
    this.#plot = plot;
  }

  draw(x, text) {
    const { ctx, bbox } = this.#plot;
    const gap = 5 * devicePixelRatio;
    const width = ctx.measureText(text).width;
    const fits = x + gap + width < bbox.left + bbox.width;
    const left = fits ? x + gap : x - gap - width;
    const row = this.#freeRow(left, left + width);
    if (row === undefined) return;
    const top = bbox.top + gap + row * 16 * devicePixelRatio;
    ctx.textAlign = "left";
    ctx.save();
    ctx.strokeStyle = darkQuery.matches ? "#1a212a" : "#ffffff";
    ctx.lineWidth = 4 * devicePixelRatio;
    ctx.setLineDash([]);
    ctx.strokeText(text, left, top);
    ctx.restore();
    ctx.fillText(text, left, top);
  }

  #freeRow(left, right) {
    for (let row = 0; row < maxLabelRows; row++) {
      const isFree = this.#taken.every((label) => label.row !== row || right < label.left || left > label.right);
      if (!isFree) continue;
      this.#taken.push({ row, left, right });
      return row;
    }
    return undefined;
  }
}

/** A release writes a move down when its traffic was counted, which is a moment after its proof. */
function isNear({ calledAtMs, doneAtMs }, { atMs }) {
  return Math.abs((doneAtMs ?? calledAtMs) - atMs) < 3000;
}

function labelOf(move) {
  const took = move.doneAtMs === null ? "" : `, done ${(move.doneAtMs - move.calledAtMs).toFixed(1)} ms later`;
  return `${move.verb} to ${move.to}${took}`;
}
