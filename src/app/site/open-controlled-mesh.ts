import { setTimeout as delay } from "node:timers/promises";
import type { UpEvent } from "../../app-types.ts";
import type { ControllerOptions, OpenedMesh } from "../../controller/controller.ts";
import { errorText } from "../../core/diagnostics/error-text.ts";
import { splitsOf } from "../../core/routes/weights.ts";
import { findWrittenObjects } from "../../core/site/written-objects.ts";
import type { AddressRule } from "../../local/limit-addresses.ts";
import type { Webhook } from "../../webhook/start-webhook.ts";
import { type AssembledSite, assembleSite } from "./assemble-site.ts";
import type { SiteConnection } from "./connection/connect-site.ts";
import type { ControllerState } from "./controller/controller-state.ts";
import type { SiteObjects } from "./objects/site-objects.ts";

export interface ControlledMeshOptions {
  readonly connection: SiteConnection;
  readonly objects: SiteObjects;
  readonly state: ControllerState;
  readonly allows: Pick<ControllerOptions["allows"], "commands" | "otherNamespaces">;
  /** Of judges and notifications. */
  readonly addresses: AddressRule;
  readonly onNote: (message: string) => void;
  readonly onTrouble: (message: string) => void;
}

type MeshTerm = Parameters<ControllerOptions["openMesh"]>[0];

const retryMs = 2_000;

/** The engine of the cluster for one term of leadership. */
export async function openControlledMesh(term: MeshTerm, options: ControlledMeshOptions): Promise<OpenedMesh> {
  const { connection, objects, state, allows, addresses } = options;
  await using stack = new AsyncDisposableStack();
  if (state.webhook !== undefined) keepCertificate(state.webhook, stack);
  const assembled = assembleSite(
    {
      connection: { ...connection, api: term.api },
      objects,
      journal: term.journal,
      actor: `kirikae controller`,
      allowsCommands: allows.commands,
      isConfined: !allows.otherNamespaces,
      addresses,
      folder: process.cwd(),
      onEvent: (event) => tellEvent(event, options),
    },
    stack,
  );
  const { runtime, mesh } = assembled;
  stack.use(
    runtime.subscribe((event) => (event.event === "release" ? term.onRelease(event.release.release) : undefined)),
  );
  stack.defer(() => (state.mesh = undefined));
  state.mesh = runtime;
  const running = stack.move();
  return {
    releases: runtime.releases,
    writtenBy: (splits) => findWrittenObjects(mesh.table, splits),
    resume: () => resume(assembled, { ...options, over: term.over }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Nothing else is moved before what broke off has its end, however long the API server or a proxy takes. */
async function resume(
  { engine, mesh, runtime, sidecars }: AssembledSite,
  { over, onNote, onTrouble }: Pick<ControlledMeshOptions, "onNote" | "onTrouble"> & { readonly over: AbortSignal },
): Promise<void> {
  await sidecars.ask();
  for (;;) {
    try {
      const splits = splitsOf(mesh.table);
      for (const { id, virtualService, message } of await engine.recover((split) => splits.has(split))) {
        onNote(`${id} of ${virtualService}: ${message}`);
      }
      break;
    } catch (error) {
      if (over.aborted) throw error;
      onTrouble(`what broke off cannot be ended yet: ${errorText(error)}`);
      await delay(retryMs, undefined, { signal: over }).catch(() => undefined);
    }
  }
  if (!over.aborted) runtime.releases.resume();
}

/** The replica that leads keeps the webhook's certificate, for as long as it does. */
function keepCertificate(webhook: Webhook, stack: AsyncDisposableStack): void {
  const term = new AbortController();
  const kept = webhook.lead(term.signal);
  stack.defer(async () => {
    term.abort();
    await kept;
  });
}

function tellEvent(event: UpEvent, { onNote, onTrouble }: Pick<ControlledMeshOptions, "onNote" | "onTrouble">): void {
  if (event.kind === "warning") onTrouble(event.message);
  else if (event.kind === "notice") onNote(event.line);
  else if (event.kind === "progress") onNote(event.message);
}
