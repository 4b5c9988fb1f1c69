// `npm run bench:site -- [--quick] [--only=drops,switches] [--write]`: moves through the Istio of a real API server.
// Prints Markdown; `--write` puts it into docs/performance.md.
import { runSections } from "./run-sections.ts";
import { benchDrops } from "./site/drop-section.ts";
import { benchSwitches } from "./site/switch-section.ts";
import { siteSize } from "./site/site-size.ts";

await runSections({
  script: "bench:site",
  setUp: ({ folder, isQuick }) => ({ ...siteSize(isQuick), folder }),
  sections: [
    { name: "drops", title: "A subset that is dropped while its weight moves", run: benchDrops },
    { name: "switches", title: "A switch through istiod, proved", run: benchSwitches },
  ],
});
