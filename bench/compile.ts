// `npm run bench:compile -- [--quick] [--only=meshes,up,istiod] [--write]`: what a change costs among many
// VirtualServices, and how istiod does on the same manifests. Prints Markdown; `--write` puts it into
// docs/performance.md.
import { compileSize } from "./compile/compile-size.ts";
import { benchIstiod } from "./compile/istiod-section.ts";
import { benchMeshes } from "./compile/mesh-section.ts";
import { benchUp } from "./compile/up-section.ts";
import { runSections } from "./run-sections.ts";

await runSections({
  script: "bench:compile",
  setUp: ({ folder, isQuick }) => ({ ...compileSize(isQuick), folder }),
  sections: [
    { name: "meshes", title: "One change among many VirtualServices", run: benchMeshes },
    { name: "up", title: "A file saved under `kirikae up`", run: benchUp },
    { name: "istiod", title: "The same change through istiod", run: benchIstiod },
  ],
});
