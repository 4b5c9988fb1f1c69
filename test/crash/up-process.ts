import { up } from "../../src/app.ts";
import { createUpPrinter } from "../../src/cli/print/up.ts";
import { openTerminal } from "../../src/cli/terminal.ts";
import { openJournal } from "../../src/engine/journal.ts";
import { crashingJournal, parseJournalCrashPoint, pointInFile } from "./crashing-journal.ts";

/**
 * The whole of `kirikae up DIR --json --gateway-port 80=PORT`, but it dies at one write of the journal: `3:before`, or one
 * that a file says some time, of which the path is given.
 */
async function runUntilDeath([folder = "", gatewayPort = "", crashPoint = ""]: readonly string[]): Promise<void> {
  const stop = Promise.withResolvers<void>();
  process.once("SIGINT", () => stop.resolve());
  const point = crashPoint.includes("/") ? pointInFile(crashPoint) : parseJournalCrashPoint(crashPoint);
  const print = createUpPrinter(openTerminal(process), "json");
  await using mesh = await up(
    { folder, gatewayPorts: [gatewayPort], defaultNamespace: "default", demo: false, onEvent: print },
    { openJournal: (file) => crashingJournal(openJournal(file), point) },
  );
  await Promise.race([stop.promise, mesh.stopped]);
}

if (import.meta.main) await runUntilDeath(process.argv.slice(2));
