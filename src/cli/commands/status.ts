import type { ApiClient } from "../../api/client.ts";
import type { Status } from "../../api/types.ts";
import {
  createCommand,
  jsonOption,
  namespaceOption,
  printAnswer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";
import { renderJson } from "../neutralise.ts";

interface StatusOptions extends JsonOption {
  readonly namespace?: string;
  readonly watch?: true;
}

export function statusCommand(context: CommandContext): Command {
  return createCommand("status", "which version is live, what could be, and what the proxies say")
    .argument("[name]", "only this VirtualService")
    .option(...namespaceOption)
    .option("-w, --watch", "keep showing it; in a pipe, a line for each second")
    .option(...jsonOption)
    .action(async (name: string | undefined, options: StatusOptions) => {
      const { connect } = await import("../connect.ts");
      const api = await connect(context.env);
      if (options.watch === true) return watchStatus(context, { api, name, options });
      const status = await selectServices(await api.status(), name, options.namespace);
      const { renderStatus } = await import("../print/status.ts");
      return printAnswer(context, { exitStatus: 0, data: status, text: (ink) => renderStatus(status, ink) }, options);
    });
}

/** The status with only the services meant. Throws KIR5060 with the list of those that exist. */
async function selectServices(
  status: Status,
  name: string | undefined,
  namespace: string | undefined,
): Promise<Status> {
  const services = status.services.filter((service) => {
    const [serviceNamespace, serviceName] = service.virtualService.split("/");
    const isNamed = name === undefined || name === serviceName || name === service.virtualService;
    return isNamed && (namespace === undefined || namespace === serviceNamespace);
  });
  if (services.length > 0 || name === undefined) return { ...status, services };
  const { unknownService } = await import("../unknown-service.ts");
  throw unknownService(name, status);
}

interface Watch {
  readonly api: ApiClient;
  readonly name: string | undefined;
  readonly options: StatusOptions;
}

/** Shows the status until it is told to stop, or until `up` stops, which is an error of who wanted to go on. */
async function watchStatus(context: CommandContext, { api, name, options }: Watch): Promise<void> {
  const { terminal } = context;
  const { renderStatus, renderSampleLines } = await import("../print/status.ts");
  const stop = new AbortController();
  using stopListening = context.onStop(() => stop.abort());
  const ended = AbortSignal.any([stop.signal, terminal.closed]);
  for await (const event of api.events(ended)) {
    if (options.json === true) terminal.answer(renderJson(event));
    else if (!terminal.isInteractive) {
      if (event.event === "sample") {
        const lines = renderSampleLines(event.sample, name);
        if (lines !== "") terminal.answer(lines);
      }
    } else if (event.event === "status" || event.event === "sample") {
      const status = await selectServices(await api.status(), name, options.namespace);
      terminal.redraw(renderStatus(status, terminal.ink));
    }
  }
  if (ended.aborted) return;
  const { connectionLost } = await import("../../api/client.ts");
  throw connectionLost(undefined);
}
