import { mkdir, rename, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startBackend } from "../../test/e2e/xds-fixture.ts";
import { residentBytes, startUp } from "../fronts/up-process.ts";
import { renderCount, renderMegabytes, renderMs, renderTable } from "../markdown.ts";
import { spreadOf } from "../measure-switches.ts";
import type { CompileSize } from "./compile-size.ts";
import { hostOf, type MeshShape, meshTexts, type VersionPorts, virtualServiceSource } from "./mesh-texts.ts";

/** The product as it is used: a file is saved in a folder, and a request through the gateway shows when it counts. */
export async function benchUp(size: CompileSize): Promise<string> {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  const rows: (readonly string[])[] = [];
  for (const virtualServices of size.meshSizes) {
    size.report(`kirikae up with ${renderCount(virtualServices)} files of one VirtualService`);
    const shape = { virtualServices, wildcardEvery: 10 };
    const own = join(size.folder, `up-${virtualServices}`);
    rows.push(await measureUp(own, { shape, ports: { blue: blue.port, green: green.port }, saves: size.savesPerSize }));
  }
  const header = ["files", "ready after", "saved until answered by the new rule, median", "highest", "RSS of kirikae"];
  return renderTable(header, rows);
}

interface UpMesh {
  readonly shape: MeshShape;
  readonly ports: VersionPorts;
  readonly saves: number;
}

async function measureUp(folder: string, { shape, ports, saves }: UpMesh): Promise<readonly string[]> {
  const manifests = join(folder, "manifests");
  await mkdir(manifests, { recursive: true });
  const texts = meshTexts(shape, ports);
  for (const { path, text } of texts) await writeFile(join(manifests, path), text);
  await using up = await startUp({ manifests, stateFolder: join(folder, "state"), concurrency: 2 });
  const address = up.ready.gateways[0]?.address ?? "";
  const times: number[] = [];
  for (let save = 0; save < saves; save += 1) {
    const index = (save * 11) % shape.virtualServices;
    const changed = `save-${save}`;
    const { path, text } = virtualServiceSource(shape, index, { changed });
    // A rename is how most editors save; the file is never there in half.
    const draft = join(folder, "draft");
    await writeFile(draft, text);
    const startMs = performance.now();
    await rename(draft, join(manifests, path));
    const host = hostOf(shape, index).replace("*", "one");
    while ((await ask(address, { host, "x-version": changed })) !== "green") {
      if (performance.now() - startMs > 120_000) throw new Error(`${path} was saved in vain`);
      await delay(2);
    }
    times.push(performance.now() - startMs);
    // The look at the whole, and the poll of the folder, are not to be in the next figure.
    await delay(1_500);
  }
  const { median, max } = spreadOf(times);
  return [
    renderCount(texts.length),
    `${(up.startedInMs / 1_000).toFixed(1)} s`,
    renderMs(median),
    renderMs(max),
    renderMegabytes(await residentBytes(up.pid)),
  ];
}

/** By path alone all but one in ten would go to blue, so the path of the static rule tells that the header was seen. */
function ask(address: string, headers: Record<string, string>): Promise<string> {
  const [hostname = "", port = ""] = address.split(":");
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: "/static", headers }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve(body));
    });
    sent.on("error", reject);
    sent.end();
  });
}
