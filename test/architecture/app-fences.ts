import type { Fence } from "./fences.ts";

/** What every room of `app/site` may import, beside the rooms before it. */
const belowSites = ["core", "kubernetes", "targets/istio"];
/** What objects are, without what asks for them. */
const kubeObjects = ["kubernetes/kube-kinds.ts", "kubernetes/kube-object.ts"];
const shared = ["app"];
const folders = ["app/local", "app/site"];

/** The rooms of the wiring, each after those that it may import. */
export const appFences: readonly Fence[] = [
  {
    of: "app",
    mayImport: ["api", "core", "engine", "notify", "xds/probe-agent.ts", "app-types.ts"],
    mayImportTypesOf: ["local/ports.ts"],
    except: folders,
    packages: [],
    sentence:
      "What stands in `app/` beside its folders carries moves and releases out and shows them, wherever the routes come from.",
  },
  {
    of: "app/local",
    mayImport: ["app", "api", "core", "engine", "local", "targets/local-envoy", "xds", "app-types.ts"],
    except: ["app/site"],
    packages: [],
    sentence: "`app/local` runs a folder of manifests on this machine, and knows no cluster.",
  },
  {
    of: "app/site/connection",
    mayImport: belowSites,
    packages: [],
    sentence: "`app/site/connection` reaches a cluster, and reads no object of it.",
  },
  {
    of: "app/site/objects",
    mayImport: [...belowSites, "app/site/connection"],
    packages: [],
    sentence: "`app/site/objects` lists and watches what is read of a cluster, and makes no routes of it.",
  },
  {
    of: "app/site/mesh",
    mayImport: ["core", ...kubeObjects, ...shared, "app/site/objects"],
    mayImportTypesOf: ["targets/istio"],
    except: folders,
    packages: [],
    sentence: "`app/site/mesh` makes a table of the objects that it is given, and connects to nobody.",
  },
  {
    of: "app/site/gateways",
    mayImport: [
      ...belowSites,
      ...shared,
      "api/types.ts",
      "local/limit-addresses.ts",
      "app/site/objects",
      "app/site/mesh",
    ],
    except: folders,
    packages: [],
    sentence: "`app/site/gateways` says where gateways are reached, by people and by a release's own requests.",
  },
  {
    of: "app/site/many",
    mayImport: ["core", ...kubeObjects, ...shared, "engine/ports.ts", "app/site/mesh"],
    except: folders,
    packages: [],
    sentence: "`app/site/many` makes several clusters look like one.",
  },
  {
    of: "app/site/releases",
    mayImport: [...belowSites, "api", "controller", "engine", "app/site/connection", "app/site/objects"],
    packages: [],
    sentence: "`app/site/releases` shows and orders the Release objects that a controller carries out, and runs none.",
  },
  {
    of: "app/site/doctor",
    mayImport: [...belowSites, "app/site/connection", "app/site/objects"],
    packages: ["yaml"],
    sentence: "`app/site/doctor` says which rights and parts a cluster lacks, and changes nothing.",
  },
  {
    of: "app/site/controller",
    mayImport: belowSites,
    mayImportTypesOf: ["controller", "webhook", "app/site/connection", "app/site/objects"],
    packages: [],
    sentence:
      "`app/site/controller` holds what a controller connects to, waits for and is, and starts neither releases nor watches.",
  },
  {
    of: "app/site",
    mayImport: [
      ...belowSites,
      ...shared,
      "api",
      "controller",
      "engine",
      "judges",
      "local",
      "notify",
      "targets/sites.ts",
      "webhook",
      "app-types.ts",
    ],
    except: ["app/local"],
    packages: [],
    sentence: "`app/site` puts the parts of a cluster together, and knows nothing of the Envoy of this machine.",
  },
];
