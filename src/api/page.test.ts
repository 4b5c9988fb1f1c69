import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FakeBackend } from "../../test/api/fake-backend.ts";
import { sampleLive, sampleRelease } from "../../test/api/sample-release.ts";
import { pageAssets } from "./page-assets.ts";
import { startApi, type RunningApi } from "./server.ts";
import { summarizeRelease } from "./summarize-release.ts";

const executablePath = process.env["KIRIKAE_CHROMIUM"] ?? "/usr/bin/chromium";
const hasBrowser = existsSync(executablePath);
if (!hasBrowser) {
  process.stderr.write(
    `SKIPPED: the status page is not tested, because ${executablePath} is absent.\n` +
      "  Install Chromium (Debian: apt-get install -y chromium), or name one with KIRIKAE_CHROMIUM.\n",
  );
}

test("every file that the page loads is there", () => {
  expect(
    pageAssets()
      .map((asset) => asset.file)
      .filter((file) => !existsSync(file)),
  ).toEqual([]);
});

describe.skipIf(!hasBrowser)("the status page in a real browser", () => {
  let folder: string;
  let browser: Browser;
  let backend: FakeBackend;
  let api: RunningApi;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kirikae-page-"));
    backend = new FakeBackend();
    for (let second = 150; second > 0; second--) backend.samples.push(backend.sampleAt(Date.now() - second * 1000));
    api = await startApi(backend, { tokenFile: join(folder, "token"), actor: "the person at the keyboard" });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await api[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  interface Visit extends AsyncDisposable {
    readonly page: Page;
    /** Errors, refusals by the policy, and requests to anywhere else. */
    readonly complaints: string[];
  }

  async function open(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("request", (asked) => {
      if (new URL(asked.url()).origin !== api.url) complaints.push(`asked elsewhere: ${asked.url()}`);
    });
    await page.goto(url);
    return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
  }

  const card = "article[data-service='sample-ns/sample-app']";

  test("shows live traffic, follows a move, and breaks none of its own rules", async () => {
    await using visit = await open(api.pageUrl());
    const { page, complaints } = visit;
    await page.waitForSelector(`${card} canvas`);
    expect(new URL(page.url()).search).toBe("");
    await page.waitForSelector("#connection[data-state='live']");
    expect(await page.textContent(`${card} .live`)).toBe("blue is live");
    backend.emit({ event: "sample", sample: backend.sampleAt(Date.now(), 77) });
    await page.waitForSelector(`${card} .versions >> text=77.0`);
    await backend.move(request(), () => {});
    backend.emit({ event: "sample", sample: backend.sampleAt(Date.now() + 1000, 66) });
    await page.waitForSelector(`${card} .live >> text=green is live`);
    await page.waitForSelector(`${card} .ledger >> text=120 = 120 ok + 0 failed`);
    const label = `${card} .graph[aria-label*="1 moves marked"]`;
    await page.waitForSelector(label);
    expect(await page.getAttribute(label, "aria-label")).toContain("green 66.0");
    expect(await page.textContent("#mesh")).toContain("connected, has acknowledged everything");
    expect(complaints).toEqual([]);
  }, 30_000);

  function request() {
    const to = { [backend.idle()]: 100 };
    return {
      verb: "switch",
      name: "sample-app",
      namespace: undefined,
      route: undefined,
      to,
      actor: "me",
      reason: undefined,
    } as const;
  }

  /** How many pixels of the graph have nearly this colour. The code in quotes runs in the page, which has a DOM. */
  async function countPixels(page: Page, wanted: readonly number[]): Promise<number> {
    return page.evaluate<number>(`(() => {
      const canvas = document.querySelector(${JSON.stringify(`${card} canvas`)});
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const wanted = ${JSON.stringify(wanted)};
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] === 255 && wanted.every((value, index) => Math.abs(data[at + index] - value) < 8)) count++;
      }
      return count;
    })()`);
  }

  test.each([
    ["light", [0x1d, 0x6f, 0xd8]],
    ["dark", [0x5a, 0xa2, 0xff]],
  ] as const)(
    "draws blue in blue, on %s ground",
    async (colorScheme, blue) => {
      await using visit = await open(api.pageUrl(), { colorScheme });
      await visit.page.waitForSelector(`${card} .graph[aria-label]`);
      await expect.poll(() => countPixels(visit.page, blue)).toBeGreaterThan(100);
      expect(visit.complaints).toEqual([]);
    },
    30_000,
  );

  describe("releases", () => {
    const consequence =
      "Counts your yes, the last that was missing. Goes on with step 4 of 4, switch: everything to green.";

    beforeEach(() => {
      const waiting = { phase: "awaiting", step: 3, message: "waits for 1 of 1 approvals", untilMs: null } as const;
      backend.releases.all = [
        sampleRelease({
          id: "old",
          release: "sample-ns/older",
          phase: "done",
          step: null,
          message: "done",
          untilMs: null,
        }),
        sampleRelease(waiting),
      ];
      backend.releases.live = sampleLive(10);
      backend.releases.offered = [
        { command: { kind: "approve" }, consequence },
        { command: { kind: "abort" }, consequence: "Ends the release at step 3 of 4." },
      ];
      backend.releases.orders.length = 0;
    });

    afterEach(() => {
      backend.releases.all = [];
    });

    test("show what is under way, and follow it", async () => {
      await using visit = await open(api.pageUrl());
      const { page, complaints } = visit;
      await page.waitForSelector("#releases:not([hidden])");
      const region = page.getByRole("region", { name: "The chosen release" });
      await region.getByText("waits for 1 of 1 approvals").waitFor();
      expect(await page.locator("#release-list button").allTextContents()).toEqual([
        "sample-ns/to-green to green",
        "sample-ns/older to green",
      ]);
      expect(await region.locator("[aria-current=step]").textContent()).toContain("hold");
      expect(await region.textContent()).toContain("blue 90 %, green 10 %");
      expect(await region.textContent()).not.toContain("NOT AS WANTED");
      backend.releases.live = sampleLive(50);
      backend.emit({ event: "sample", sample: backend.sampleAt(Date.now()) });
      await region.getByText("NOT AS WANTED: blue 50 %, green 50 %").waitFor();
      const done = sampleRelease({ phase: "done", step: null, message: "done", untilMs: null });
      backend.releases.all = [...backend.releases.all.slice(0, 1), done];
      backend.releases.offered = [];
      backend.emit({ event: "release", release: summarizeRelease(done) });
      await expect.poll(() => page.locator("#release-orders button").count()).toBe(0);
      expect(complaints).toEqual([]);
    }, 30_000);

    test("are told only what they can be told now, after a word of what would follow", async () => {
      await using visit = await open(api.pageUrl());
      const { page, complaints } = visit;
      const orders = page.getByRole("group", { name: "What the release can be told" });
      await orders.getByRole("button", { name: "approve" }).waitFor();
      expect(await orders.getByRole("button").allTextContents()).toEqual(["approve", "abort"]);
      // By the keyboard alone.
      await orders.getByRole("button", { name: "approve" }).focus();
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog", { name: "Approve: sample-ns/to-green" });
      await dialog.getByText(consequence).waitFor();
      expect(await dialog.textContent()).toContain("by the person at the keyboard");
      await page.keyboard.press("Escape");
      await expect.poll(() => dialog.count()).toBe(0);
      expect(backend.releases.orders).toEqual([]);
      await page.keyboard.press("Enter");
      await dialog.waitFor();
      await page.keyboard.press("Enter");
      // A yes needs a reason.
      expect(backend.releases.orders).toEqual([]);
      await page.keyboard.type("the figures are good");
      await page.keyboard.press("Enter");
      await expect
        .poll(() => backend.releases.orders)
        .toMatchObject([
          {
            name: "sample-ns/to-green",
            command: { kind: "approve" },
            actor: "the person at the keyboard",
            reason: "the figures are good",
          },
        ]);
      await page.getByText("sample-ns/to-green: approve, and now waits for 1 of 1 approvals.").waitFor();
      expect(complaints).toEqual([]);
    }, 30_000);

    test("say why an order was refused, and keep the reason that was written", async () => {
      await using visit = await open(api.pageUrl());
      const { page } = visit;
      await page.getByRole("button", { name: "abort" }).click();
      await page.getByLabel("Why, for the history").fill("enough");
      backend.releases.all = [sampleRelease({ phase: "done" })];
      await page.getByRole("button", { name: "Abort" }).last().click();
      await page.getByRole("alert").getByText("cannot be aborted now, because it is over").waitFor();
      expect(await page.getByLabel("Why, for the history").inputValue()).toBe("enough");
    }, 30_000);

    test("and their names are text, whatever is in them", async () => {
      const name = "sample-ns/<img src=x onerror=alert(1)>";
      backend.releases.all = [sampleRelease({ release: name, message: "<b>bold</b>", reason: "<script>" })];
      await using visit = await open(api.pageUrl());
      const { page, complaints } = visit;
      await page.getByText("<b>bold</b>").waitFor();
      expect(await page.locator("#releases img, #releases b, #releases script").count()).toBe(0);
      expect(complaints).toEqual([]);
    }, 30_000);

    test("fit a phone", async () => {
      await using visit = await open(api.pageUrl(), { viewport: { width: 360, height: 740 } });
      await visit.page.waitForSelector("#release .steps");
      const width = await visit.page.evaluate<number>("document.documentElement.scrollWidth");
      expect(width).toBeLessThanOrEqual(360);
    }, 30_000);
  });

  test("fits a phone without sideways scrolling", async () => {
    await using visit = await open(api.pageUrl(), { viewport: { width: 360, height: 740 } });
    await visit.page.waitForSelector(`${card} .graph[aria-label]`);
    const width = await visit.page.evaluate<number>("document.documentElement.scrollWidth");
    expect(width).toBeLessThanOrEqual(360);
  }, 30_000);

  test("a used link says how to get a new one", async () => {
    const url = api.pageUrl();
    await using first = await open(url);
    await first.page.waitForSelector(card);
    await using second = await open(url);
    expect(await second.page.textContent("main")).toContain("npx kirikae page");
    await first.page.goto(url);
    await first.page.waitForSelector(card);
  }, 30_000);

  test("a page of another origin learns nothing and moves nothing", async () => {
    await using visit = await open(api.pageUrl());
    await visit.page.waitForSelector(card);
    const asked = backend.requests.length;
    // A foreign site on the same loopback address: the same site for cookies, another origin.
    const other = await startApi(new FakeBackend(), { tokenFile: join(folder, "other") });
    await visit.page.goto(other.pageUrl());
    const results = await visit.page.evaluate(async (target) => {
      const attempt = (path: string, options: object) =>
        fetch(`${target}${path}`, { credentials: "include", ...options }).then(
          () => "answered",
          () => "failed",
        );
      const body = JSON.stringify({ verb: "switch", name: "sample-app", to: { green: 100 }, actor: "evil" });
      return [
        await attempt("/v1/status", {}),
        await attempt("/v1/moves", { method: "POST", body, headers: { "content-type": "application/json" } }),
      ];
    }, api.url);
    await other[Symbol.asyncDispose]();
    expect(results).toEqual(["failed", "failed"]);
    expect(backend.requests).toHaveLength(asked);
  }, 30_000);
});
