// `npm run bench:engine -- [--quick] [--only=many,rollbacks,large] [--write]`: releases side by side, and how soon a bad
// version is taken back. Prints Markdown; `--write` puts it into docs/performance.md.
import { engineSize } from "./engine/engine-size.ts";
import { benchLarge } from "./engine/large-section.ts";
import { benchMany } from "./engine/many-section.ts";
import { benchRollbacks } from "./engine/rollback-section.ts";
import { runSections } from "./run-sections.ts";

await runSections({
  script: "bench:engine",
  setUp: ({ folder, isQuick }) => ({ ...engineSize(isQuick), folder }),
  sections: [
    { name: "many", title: "Releases side by side", run: benchMany },
    { name: "rollbacks", title: "A bad version is taken back", run: benchRollbacks },
    { name: "large", title: "Releases among many VirtualServices", run: benchLarge },
  ],
});
