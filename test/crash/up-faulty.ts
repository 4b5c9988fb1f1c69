import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { up } from "../../src/app.ts";
import { createUpPrinter } from "../../src/cli/print/up.ts";
import { openTerminal } from "../../src/cli/terminal.ts";
import type { JournalRecord, StoredRecord } from "../../src/engine/journal-record.ts";
import { type Journal, openJournal } from "../../src/engine/journal.ts";

/** What goes wrong right after the first intent is written, or at every outcome while the file is there. */
type Fault = { readonly kind: "stopEnvoy" } | { readonly kind: "fullDisk"; readonly whileThere: string };

function parseFault([kind, whileThere = ""]: readonly string[]): Fault {
  if (kind === "stopEnvoy") return { kind };
  if (kind === "fullDisk") return { kind, whileThere };
  throw new Error(`${kind} is no fault.`);
}

/** A real journal that brings a fault with it. */
function faultyJournal(journal: Journal, fault: Fault): Journal {
  let intents = 0;
  return {
    append(record: JournalRecord): number {
      if (fault.kind === "fullDisk" && record.type !== "intent" && existsSync(fault.whileThere)) {
        throw new Error("database or disk is full");
      }
      const seq = journal.append(record);
      if (record.type === "intent") intents += 1;
      if (fault.kind === "stopEnvoy" && record.type === "intent" && intents === 1) process.kill(envoyPid(), "SIGSTOP");
      return seq;
    },
    read(): readonly StoredRecord[] {
      return journal.read();
    },
    [Symbol.dispose](): void {
      journal[Symbol.dispose]();
    },
  };
}

interface Launches {
  readonly launches: readonly { readonly role: string; readonly process: { readonly pid: number } | null }[];
}

function envoyPid(): number {
  const text = readFileSync(join(process.env["KIRIKAE_STATE"] ?? "", "processes.json"), "utf8");
  const { launches }: Launches = JSON.parse(text);
  const pid = launches.find(({ role }) => role === "envoy")?.process?.pid;
  if (pid === undefined) throw new Error("no Envoy is recorded");
  return pid;
}

/** The whole of `kirikae up DIR --json --gateway-port 80=PORT`, with one fault. */
async function run([folder = "", gatewayPort = "", ...fault]: readonly string[]): Promise<void> {
  const stop = Promise.withResolvers<void>();
  process.once("SIGINT", () => stop.resolve());
  const print = createUpPrinter(openTerminal(process), "json");
  await using mesh = await up(
    { folder, gatewayPorts: [gatewayPort], defaultNamespace: "default", demo: false, onEvent: print },
    { openJournal: (file) => faultyJournal(openJournal(file), parseFault(fault)) },
  );
  await Promise.race([stop.promise, mesh.stopped]);
}

if (import.meta.main) await run(process.argv.slice(2));
