import type { ReleaseNotice } from "../core/release/describe/find-notices.ts";

/** Somebody who is told of releases. No release ever waits for one. */
export interface Channel extends AsyncDisposable {
  /** Takes the notice and returns at once; never throws. What is told is told in the order of the calls. */
  send(notice: ReleaseNotice): void;
}
