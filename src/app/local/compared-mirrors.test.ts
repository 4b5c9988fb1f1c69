import { once } from "node:events";
import { request } from "node:http";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sketchTable } from "../../../test/route-table.fixture.ts";
import type { MirrorAddition, OwnedAddition } from "../../core/routes/route-addition.ts";
import { copyHeader, splitHeader } from "../../core/routes/copied-destination.ts";
import { splitsOf } from "../../core/routes/weights.ts";
import type { StoredRelease } from "../../engine/fold-releases.ts";
import { ComparedMirrors, type ComparedMirrorsOptions } from "./compared-mirrors.ts";

const release = "shop/r";
const table = sketchTable([{ name: "shop/web", rules: [{ arms: { "app/blue": 100, "app/green": 0 } }] }]);
const [[split, { arms }] = ["", { arms: [] }]] = splitsOf(table);

/** A start of the release that copies the same requests to the same place as every other. */
function startOf(id: string, headers: readonly string[]): { stored: StoredRelease; additions: OwnedAddition[] } {
  const to = { [split]: arms.at(-1)?.destination ?? "" };
  const addition: MirrorAddition = { kind: "mirror", to, percent: 100, methods: ["GET"] };
  const step = { kind: "mirror", addition, compare: { headers, body: false, ignoredFields: [] } };
  // Nothing else of a release is looked at.
  const stored = { id, plan: { release, steps: [step] } } as unknown as StoredRelease;
  return { stored, additions: [{ release, addition }] };
}

test("a release that is started again is compared as it asks now, and from nothing", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "kirikae-mirrors-"));
  const socketPath = join(folder.path, "comparer.sock");
  const stored: StoredRelease[] = [];
  const engine: ComparedMirrorsOptions["engine"] = { releases: () => stored, placements: () => new Map() };
  await using mirrors = await ComparedMirrors.start({
    engine,
    socketPath,
    copiesSocket: join(folder.path, "none"),
    onDefect: (error) => {
      throw error;
    },
  });
  const aborted = startOf("r1", ["x-id"]);
  stored.push(aborted.stored);
  mirrors.begin(mirrors.addRoutes(table, aborted.additions));
  expect(mirrors.isBegun(aborted.additions)).toBe(true);
  const headers = { [copyHeader]: release, [splitHeader]: encodeURIComponent(split) };
  const [answer] = await once(request({ socketPath, headers }).end(), "response");
  answer.resume();
  expect(mirrors.report(release)).toMatchObject({ copied: 1 });

  const next = startOf("r2", []);
  stored.push(next.stored);
  expect(next.additions).toEqual(aborted.additions);
  expect(mirrors.isBegun(next.additions)).toBe(false);
  mirrors.begin(mirrors.addRoutes(table, next.additions));
  expect(mirrors.isBegun(next.additions)).toBe(true);
  expect(mirrors.report(release)).toMatchObject({ copied: 0 });
  expect(mirrors.takeEnded(release)).toBeUndefined();

  mirrors.begin(mirrors.addRoutes(table, []));
  expect(mirrors.isBegun([])).toBe(true);
  expect(mirrors.takeEnded(release)).toMatchObject({ copied: 0 });
});
