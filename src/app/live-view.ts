import type { LiveEvent, MoveProgress, ReleaseStatus, Status, TrafficSample } from "../api/types.ts";
import { summarizeRelease } from "../api/summarize-release.ts";
import { LiveFeed } from "./live-feed.ts";
import { type FindServices, TrafficHistory, type TrafficReading } from "./traffic-history.ts";

/** What people see who watch: moves, releases and the status as they change, and the last minutes of traffic. */
export class LiveView {
  readonly #feed: LiveFeed;
  readonly #traffic = new TrafficHistory();

  constructor(onDefect: (error: unknown) => void) {
    this.#feed = new LiveFeed(onDefect);
  }

  subscribe(listener: (event: LiveEvent) => void): Disposable {
    return this.#feed.subscribe(listener);
  }

  /** The last ten minutes, oldest first. */
  get samples(): readonly TrafficSample[] {
    return this.#traffic.samples;
  }

  showMove(virtualService: string, progress: MoveProgress): void {
    this.#feed.publish({ event: "move", virtualService, atMs: Date.now(), progress });
  }

  showRelease(release: ReleaseStatus): void {
    this.#feed.publish({ event: "release", release: summarizeRelease(release) });
  }

  /** Thousands of services are put together only when somebody looks. */
  showStatus(build: () => Status): void {
    this.#feed.publish({
      event: "status",
      get status() {
        return build();
      },
    });
  }

  /** Shows what has gone through since the reading before; the first has none before it. */
  showTraffic(reading: TrafficReading, findServices: FindServices): void {
    const sample = this.#traffic.add(reading, findServices);
    if (sample !== undefined) this.#feed.publish({ event: "sample", sample });
  }
}
