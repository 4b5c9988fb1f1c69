import type { ApiClient } from "../api/client.ts";
import { summarizeRelease } from "../api/summarize-release.ts";
import { isQuiet } from "../app/site/releases/cluster-release.ts";
import type { ClusterRelease, ReleaseSummary, ServiceStatus } from "../api/types.ts";
import { isCalled } from "../core/release/move/is-called.ts";
import { localName } from "../core/routes/site-names.ts";
import { asKirikaeError } from "./print/error.ts";
import type { StatusView } from "./print/status.ts";
import { unknownService } from "./unknown-service.ts";

export interface StatusChoice {
  /** Of a VirtualService or of a release; `namespace/name`, or the name alone. */
  readonly name: string | undefined;
  readonly namespace?: string | undefined;
  /** `namespace/name` of Releases of clusters that are shown although they may be over by now. */
  readonly followed?: ReadonlySet<string>;
}

/** More active releases than this are not under way at a time. */
const mostReleases = 500;

/**
 * The mesh and the releases under way, or of both only what the name is about: a VirtualService with the releases that
 * move it, and a release, also one that is over, with what it moves. Throws KIR5060 with the list of what exists; one
 * that was followed and has been deleted is nothing, because another of its name may come.
 */
export async function readStatus(api: ApiClient, choice: StatusChoice): Promise<StatusView> {
  const [bare, releases] = await Promise.all([
    api.status(),
    api.releases({ active: true, live: true, limit: mostReleases }),
  ]);
  const clusterReleases = bare.clusterReleases?.filter((release) => isShown(release, choice));
  const status = { ...bare, ...(clusterReleases !== undefined && { clusterReleases }) };
  const { name, namespace } = choice;
  const inNamespace = status.services.filter(({ virtualService }) => isIn(virtualService, namespace));
  if (name === undefined) {
    const services = namespace === undefined ? status.services : inNamespace;
    return { ...status, services, releases: releases.filter((release) => isIn(release.release, namespace)) };
  }
  const services = inNamespace.filter(({ virtualService }) => isCalled(virtualService, name));
  const ofServices = releases.filter((release) => movesOne(release, services));
  const isService = services.length > 0;
  const named = isService ? ofServices.find(({ release }) => isCalled(release, name)) : await findNamed(api, choice);
  if (named === undefined) {
    const ofController = clusterReleases?.filter(({ release }) => isCalled(release, name)) ?? [];
    const isFollowed = [...(choice.followed ?? [])].some((release) => isCalled(release, name));
    if (!isService && ofController.length === 0 && !isFollowed) throw unknownService(name, status);
    if (!isService) {
      const moved = new Set(ofController.flatMap((release) => release.services));
      const shown = status.services.filter(({ virtualService }) => moved.has(localName(virtualService)));
      return { ...status, services: shown, releases: releases.filter((release) => movesOne(release, shown)) };
    }
    return { ...status, services, releases: ofServices };
  }
  const moved = status.services.filter(({ virtualService }) => named.services.includes(virtualService));
  return {
    ...status,
    services: [...new Set([...services, ...moved])],
    releases: [...ofServices.filter(({ id }) => id !== named.id), named],
  };
}

/** Undefined where no release has that name, and where a service has it and the release is over. */
async function findNamed(api: ApiClient, { name = "", namespace }: StatusChoice): Promise<ReleaseSummary | undefined> {
  try {
    return summarizeRelease(await api.release(name, { namespace }));
  } catch (error) {
    const known = asKirikaeError(error);
    if (known.code === "KIR2035") return undefined;
    throw known;
  }
}

function movesOne({ services }: ReleaseSummary, shown: readonly ServiceStatus[]): boolean {
  return shown.some(({ virtualService }) => services.includes(virtualService));
}

/** Whether a release is what the name is about, or moves it. */
export function isChosen({ release, services }: ReleaseSummary, { name, namespace }: StatusChoice): boolean {
  if (!isIn(release, namespace)) return false;
  return name === undefined || isCalled(release, name) || services.some((service) => isCalled(service, name));
}

/** A Release of a cluster that is over is shown to whoever asks for it by name. */
function isShown(release: ClusterRelease, { name, namespace, followed }: StatusChoice): boolean {
  if (!isIn(release.release, namespace)) return false;
  const isWanted = !isQuiet(release) || followed?.has(release.release) === true;
  if (name === undefined) return isWanted;
  const isMoved = release.services.some((service) => isCalled(service, localName(name)));
  return isCalled(release.release, name) || (isMoved && isWanted);
}

function isIn(fullName: string, namespace: string | undefined): boolean {
  return namespace === undefined || fullName.startsWith(`${namespace}/`);
}
