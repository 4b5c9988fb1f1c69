import { appFences } from "./app-fences.ts";

/** What one folder (or file) of `src` may import, beyond itself, and why. */
export interface Fence {
  /** Relative to `src`; a folder, or a file with its ending. The longest fence that holds a file counts. */
  readonly of: string;
  /** Folders or files, relative to `src`. */
  readonly mayImport: readonly string[];
  /** Folders or files whose types alone may be imported. */
  readonly mayImportTypesOf?: readonly string[];
  /** Folders inside of those above that stay closed; a longer place above opens a part of one again. */
  readonly except?: readonly string[];
  /** npm packages, by name; undefined leaves them open. Node's own modules are closed to `core` by another rule. */
  readonly packages?: readonly string[];
  /** Written in ARCHITECTURE.md, word for word; printed when the fence is broken. */
  readonly sentence: string;
}

const wiring = ["app.ts", "app", "app-types.ts"];
const everythingButCli = [
  "api",
  "controller",
  "core",
  "engine",
  "gen",
  "judges",
  "kubernetes",
  "local",
  "notify",
  "targets",
  "webhook",
  "xds",
  ...wiring,
];

/** `check` and `explain` read manifests without a running mesh; `doctor` looks for Envoy. */
const foldersThatTheCliReads = [
  "local/state-folder.ts",
  "local/manifest-folder.ts",
  "local/envoy-binary.ts",
  "local/judge-secrets.ts",
];

/** What every room of `core/release` may import, beside the rooms below it. */
const belowReleases = ["core/calendar", "core/routes", "core/manifest/manifest.ts", "core/diagnostics"];
const typesBelowReleases = ["core/manifest/release.ts"];

export const fences: readonly Fence[] = [
  {
    of: "core/diagnostics",
    mayImport: [],
    packages: [],
    sentence: "`core/diagnostics` imports nothing: every folder reports findings through it.",
  },
  {
    of: "core/calendar",
    mayImport: [],
    packages: [],
    sentence: "`core/calendar` knows days and the clocks of time zones, and imports nothing.",
  },
  {
    of: "core/manifest",
    mayImport: ["core/calendar", "core/diagnostics"],
    packages: ["re2js", "yaml"],
    sentence: "`core/manifest` turns text into manifests and knows nothing of what they are for.",
  },
  {
    of: "core/import",
    mayImport: ["core/manifest", "core/diagnostics"],
    packages: ["yaml"],
    sentence: "`core/import` turns other tools' objects into Releases and knows nothing of how they are planned.",
  },
  {
    of: "core/mesh",
    mayImport: ["core/manifest", "core/diagnostics"],
    packages: [],
    sentence: "`core/mesh` links manifests and knows no route table.",
  },
  {
    of: "core/routes",
    mayImport: ["core/mesh", "core/manifest", "core/diagnostics"],
    packages: ["re2js"],
    sentence: "`core/routes` builds the route table from the mesh and knows no Envoy message.",
  },
  ...["route-table.ts", "route-table-policy.ts", "route-table-tls.ts"].map((file) => ({
    of: `core/routes/${file}`,
    mayImport: ["core/diagnostics"],
    mayImportTypesOf: ["core/routes/route-table-policy.ts", "core/routes/route-table-tls.ts"],
    packages: [],
    sentence:
      "The types of the route table name neither Istio nor Envoy: no manifest, mesh or protobuf type is in them.",
  })),
  {
    of: "core/routes/simulate.ts",
    mayImport: ["core/routes", "core/diagnostics"],
    packages: ["re2js"],
    sentence: "`simulate` reads the route table alone, so that it is a second opinion on what Envoy was told.",
  },
  {
    of: "core/incremental",
    mayImport: ["core/routes", "core/mesh", "core/manifest", "core/diagnostics"],
    packages: [],
    sentence:
      "`core/incremental` calls the builders for what changed and knows nothing of how they do it, so that they cannot disagree.",
  },
  {
    of: "core/site",
    mayImport: ["core/routes", "core/mesh", "core/manifest", "core/diagnostics"],
    packages: [],
    sentence:
      "`core/site` says what to write into the live objects of a cluster, and reads what its control plane and proxies show; it asks nobody.",
  },
  {
    of: "core/gitops",
    mayImport: ["core/site", "core/routes", "core/mesh", "core/manifest", "core/diagnostics"],
    packages: ["yaml"],
    sentence: "`core/gitops` holds files against live objects, and says how the files could say the same.",
  },
  {
    of: "core/mesh-model.ts",
    mayImport: ["core/incremental", "core/manifest", "core/mesh", "core/routes", "core/diagnostics"],
    packages: [],
    sentence: "`core/mesh-model.ts` is the one way from texts to a route table, for `up`, `check` and `explain` alike.",
  },
  {
    of: "core/envoy",
    mayImport: ["core/routes", "core/diagnostics", "gen"],
    mayImportTypesOf: ["core/manifest/local-workload.ts"],
    packages: ["@bufbuild/protobuf"],
    sentence: "`core/envoy` turns the route table into Envoy's messages and knows no Istio manifest.",
  },
  {
    of: "core/release",
    mayImport: ["core/calendar", "core/routes", "core/manifest/manifest.ts", "core/diagnostics"],
    mayImportTypesOf: ["core/manifest/release.ts"],
    packages: [],
    sentence:
      "`core/release` decides what a move or a release changes, from the route table and the Release alone, and applies nothing.",
  },
  {
    of: "core/release/move",
    mayImport: [...belowReleases],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/move` plans one move of weights and its undo, and knows no release.",
  },
  {
    of: "core/release/check",
    mayImport: [...belowReleases],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/check` judges what versions have answered, and knows nothing of steps.",
  },
  {
    of: "core/release/site",
    mayImport: [...belowReleases, "core/release/move"],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/site` names what is one cluster's among several, and knows no step.",
  },
  {
    of: "core/release/subset",
    mayImport: [...belowReleases, "core/release/move", "core/release/site"],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/subset` decides what changes in a DestinationRule, and knows no step but its own.",
  },
  {
    of: "core/release/plan",
    mayImport: [
      ...belowReleases,
      "core/release/move",
      "core/release/check",
      "core/release/site",
      "core/release/subset",
    ],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/plan` turns a Release into steps, each with what undoes it.",
  },
  {
    of: "core/release/mirror",
    mayImport: [...belowReleases, "core/release/plan"],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/mirror` compares the answers of two versions and counts copies.",
  },
  {
    of: "core/release/state",
    mayImport: [
      ...belowReleases,
      "core/release/move",
      "core/release/check",
      "core/release/plan",
      "core/release/mirror",
      "core/release/subset",
    ],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence:
      "`core/release/state` is the table of phases and events, and nothing else decides what a release does next.",
  },
  {
    of: "core/release/live",
    mayImport: [
      ...belowReleases,
      "core/release/move",
      "core/release/plan",
      "core/release/state",
      "core/release/subset",
    ],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/live` holds what is live against what a release has left.",
  },
  {
    of: "core/release/describe",
    mayImport: [
      ...belowReleases,
      "core/release/move",
      "core/release/check",
      "core/release/plan",
      "core/release/state",
      "core/release/subset",
    ],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/describe` says in words where a release is.",
  },
  {
    of: "core/release/report",
    mayImport: [
      ...belowReleases,
      "core/release/move",
      "core/release/check",
      "core/release/plan",
      "core/release/mirror",
      "core/release/state",
      "core/release/live",
      "core/release/describe",
      "core/release/subset",
    ],
    mayImportTypesOf: typesBelowReleases,
    packages: [],
    sentence: "`core/release/report` puts together what a release did, and decides nothing.",
  },
  {
    of: "gen",
    mayImport: [],
    packages: ["@bufbuild/protobuf"],
    sentence:
      "Generated code in `gen` is used by `core/envoy`, `xds` and `targets/local-envoy` only, and imports none of ours.",
  },
  {
    of: "xds",
    mayImport: ["core/envoy", "core/diagnostics", "gen"],
    packages: ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node"],
    sentence: "`xds` carries resources to proxies and does not know what routes they hold.",
  },
  {
    of: "engine",
    mayImport: ["core/release", "core/routes", "core/diagnostics"],
    mayImportTypesOf: ["core/manifest/release.ts"],
    packages: [],
    sentence: "`engine` runs plans against ports: it knows no target, no proxy and no HTTP.",
  },
  {
    of: "judges",
    mayImport: ["core/diagnostics", "local/process-identity.ts", "local/read-secret.ts"],
    mayImportTypesOf: ["core/manifest/release.ts", "core/release", "engine/ports.ts", "local/limit-addresses.ts"],
    packages: [],
    sentence: "`judges` asks servers and programs about a version; what follows from an answer it does not know.",
  },
  {
    of: "engine/ports.ts",
    mayImport: ["core/release", "core/routes"],
    mayImportTypesOf: ["core/manifest/release.ts"],
    packages: [],
    sentence:
      "`engine/ports.ts` is the contract between the engine and its targets, and is made of core's types alone.",
  },
  {
    of: "targets/checked-stats.ts",
    mayImport: ["core"],
    packages: [],
    sentence:
      "`targets/checked-stats.ts` knows how an Envoy names what checks judge, on this machine and in a cluster.",
  },
  {
    of: "targets",
    mayImport: ["engine/ports.ts", "core", "xds"],
    packages: [],
    sentence: "A target carries out one step and proves it; it never sees the engine that decides the next.",
  },
  {
    of: "targets/local-envoy",
    mayImport: ["engine/ports.ts", "core", "xds", "gen", "targets/checked-stats.ts"],
    packages: ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node"],
    sentence: "`targets/local-envoy` moves traffic on the local Envoy, by its xDS stream and its admin socket.",
  },
  {
    of: "controller",
    mayImport: ["core", "engine", "kubernetes"],
    mayImportTypesOf: ["api/types.ts"],
    packages: [],
    sentence: "`controller` drives releases by the Release objects of a cluster, and decides no step of them.",
  },
  {
    of: "kubernetes",
    mayImport: ["core/diagnostics"],
    packages: ["ws", "yaml"],
    sentence: "`kubernetes` speaks to API servers and knows nothing of what kirikae keeps there.",
  },
  {
    of: "targets/istio",
    mayImport: ["engine/ports.ts", "core", "kubernetes", "targets/checked-stats.ts"],
    packages: [],
    sentence: "`targets/istio` moves traffic through the Istio of a cluster, and proves it at istiod and the proxies.",
  },
  {
    of: "local",
    mayImport: ["core"],
    mayImportTypesOf: ["xds", "api/types.ts"],
    packages: [],
    sentence: "`local` owns processes, ports and files on this machine and knows neither moves nor the API's server.",
  },
  {
    of: "notify",
    mayImport: ["core/release", "core/diagnostics/error-text.ts", "core/diagnostics/error.ts"],
    mayImportTypesOf: ["core/manifest/release.ts", "local/limit-addresses.ts"],
    packages: [],
    sentence: "`notify` tells people of what has happened to releases, and nothing waits for it.",
  },
  {
    of: "webhook",
    mayImport: ["core", "kubernetes"],
    packages: [],
    sentence:
      "`webhook` judges objects before an API server stores them, by the same checks as `check`, and moves nothing.",
  },
  {
    of: "api",
    mayImport: ["core", "engine"],
    sentence: "`api` serves a backend that it is given; it starts nothing and knows no target.",
  },
  {
    of: "api/types.ts",
    mayImport: [],
    mayImportTypesOf: ["core/release", "core/routes/route-addition.ts", "engine/ports.ts", "engine/report.ts"],
    packages: [],
    sentence: "`api/types.ts` is types only: the CLI and the page share it.",
  },
  {
    of: "cli",
    mayImport: ["api", "core", ...foldersThatTheCliReads, ...wiring],
    mayImportTypesOf: ["local"],
    sentence:
      "`cli` reaches a running mesh through its API and starts one through `app.ts`; it can do nothing that the API cannot.",
  },
  {
    of: "cli/read-history.ts",
    mayImport: ["core", "engine", "local/state-folder.ts", "cli/connect.ts", "cli/unknown-service.ts"],
    sentence: "`cli/read-history.ts` reads the journal of a mesh that need not run, and writes nothing.",
  },
  {
    of: "cli/read-report.ts",
    mayImport: ["core", "engine", "local/state-folder.ts", "cli/connect.ts"],
    sentence: "`cli/read-report.ts` asks the mesh that runs, or reads its journal where none does, and writes nothing.",
  },
  {
    of: "cli/left-running.ts",
    mayImport: ["core", "local/process-registry.ts", "local/state-folder.ts"],
    sentence: "`cli/left-running.ts` looks for processes that outlived their `up`, and stops none.",
  },
  ...appFences,
  ...["app.ts", "app-types.ts"].map((of) => ({
    of,
    mayImport: everythingButCli,
    sentence:
      "`app.ts`, `app/` and `app-types.ts` are the only wiring: they import everything but `cli`, and only `cli` imports them.",
  })),
];

/** Holds for every file of `core`, whatever its fence. */
export const purity = "`core` is pure: no `node:` module, no clock, no randomness, no `await`.";

/** Holds for every folder of the repository. */
export const nouns = "There is no `utils`, `helpers` or `common`: a helper lives with the noun that it serves.";

/** Holds for every source file. */
export const size = "No file is longer than 500 lines.";
