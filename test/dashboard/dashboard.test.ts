import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSystem, type System } from "../e2e/support/system.ts";
import { chromiumPath, goTo, launchBrowser, openPage, seriousFindings, signIn } from "./support/browser.ts";
import { registerGoldenPack } from "./support/golden-packs.ts";
import { BATCH, MARKUP, populate, talk, TALK } from "./support/population.ts";

const isRunnable = chromiumPath() !== undefined;
// Where CI runs the suite has to run: there a missing browser is a failure, elsewhere the suite says that it was left out.
if (!isRunnable && process.env["CI"] === "true") throw new Error("no Chromium in CI");

describe.runIf(isRunnable)("the page at /", () => {
  let system: System;
  let browser: Browser;
  /** All scopes, and one that concerns its own tenant only. */
  let operator = "";
  let reader = "";
  beforeAll(async () => {
    [system, browser] = await Promise.all([startSystem(), launchBrowser()]);
    operator = await system.newKey("harbour", { scopes: ["ingest", "search", "admin", "operator"] });
    reader = await system.newKey("harbour", { scopes: ["search"] });
    await populate(system.url, operator);
    await talk(system.url, operator);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it("comes with a strict policy, and is less than 150 kB compressed", async () => {
    const response = await fetch(system.url);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const sizes = ["index.html", "app.js", "app.css", "favicon.svg"].map((name) => {
      const path = fileURLToPath(new URL(`../../src/dashboard/public/${name}`, import.meta.url));
      return gzipSync(readFileSync(path), { level: 9 }).length;
    });
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  });

  it("asks nobody else for anything", async () => {
    const { page } = await openPage(browser);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).origin));
    await signIn(page, system.url, operator);
    await page.getByText("Acceptance by source").waitFor();
    expect(new Set(asked)).toEqual(new Set([new URL(system.url).origin]));
  });

  describe("signing in", () => {
    it("keeps the key in memory alone: after a reload it is asked for again", async () => {
      const { page } = await openPage(browser);
      await signIn(page, system.url, operator);
      const kept = await page.evaluate(() =>
        JSON.stringify([localStorage, sessionStorage, document.cookie, location.href]),
      );
      expect(kept).not.toContain(operator);
      expect(await page.content()).not.toContain(operator);
      await page.reload();
      await page.getByLabel("API key").waitFor();
    });

    it("says what is wrong with a key, and leaves the form as it is", async () => {
      const { page } = await openPage(browser);
      await page.goto(system.url);
      await page.getByLabel("API key").fill("jvk_nonsense");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").getByText("key_malformed").waitFor();
      await page.getByLabel("API key").waitFor();
    });

    it("ends when the key is not accepted any more, with the reason", async () => {
      const { page } = await openPage(browser);
      const key = await system.newKey("harbour", { scopes: ["search"] });
      await signIn(page, system.url, key);
      await system.database.ownerSql.query({
        text: "update api_keys set expires_at = now() - interval '1 minute' where tenant_id = 'harbour' and scopes = array['search'] and key_hash = sha256($1::bytea)",
        params: [`\\x${Buffer.from(key).toString("hex")}`],
      });
      await page.getByRole("status").getByText("Sign in with another one").waitFor({ timeout: 90_000 });
      await page.getByLabel("API key").waitFor();
    });
  });

  it("shows an operator throughput, acceptance by source and what the service stands on", async () => {
    const { page, complaints } = await openPage(browser);
    await signIn(page, system.url, operator);
    await page.getByText("letters", { exact: true }).waitFor();
    await page.getByRole("img", { name: /^Inputs per second by outcome/ }).waitFor();
    await page.getByRole("row", { name: /database ready/ }).waitFor();
    await page.getByRole("row", { name: /embedder ready/ }).waitFor();
    await page.getByRole("link", { name: BATCH }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("shows others the batches of their tenant, and no jobs", async () => {
    const { page } = await openPage(browser);
    await signIn(page, system.url, reader);
    await page.getByText("are shown to keys with the scope").waitFor();
    await page.getByRole("link", { name: BATCH }).waitFor();
    expect(await page.getByRole("link", { name: "Jobs" }).count()).toBe(0);
  });

  it("paints its first words within a second", async () => {
    const { page } = await openPage(browser);
    await page.goto(system.url);
    await page.getByLabel("API key").waitFor();
    const paintedMs = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    expect(paintedMs).toBeLessThan(1_000);
  });

  describe("search", () => {
    it("finds passages, marks the words of the query, and says why each came and where it stands", async () => {
      const { page, complaints } = await openPage(browser);
      await signIn(page, system.url, reader);
      await page.keyboard.press("/");
      await page.getByLabel("Question or words").fill("Which ships were kept by the ice?");
      await page.keyboard.press("Enter");
      const hit = page.locator(".hit").first();
      await hit.waitFor();
      expect(await hit.locator("mark").allTextContents()).toContain("ice");
      expect(await hit.locator(".badge").first().textContent()).toBe("doc");
      expect(await hit.textContent()).toMatch(/characters 0 to \d+/);
      await hit.getByText("why it came").click();
      expect(await hit.locator("dl.parts").textContent()).toMatch(/vector0\.\d+lexical\d/);
      await hit.getByRole("link", { name: "receipt" }).click();
      await page.getByRole("button", { name: "recount" }).click();
      await page.getByText("holds", { exact: true }).waitFor();
      expect(complaints).toEqual([]);
    });

    it("goes on by words alone while the embedder is down, and says so", async () => {
      const { page } = await openPage(browser);
      await signIn(page, system.url, operator);
      system.embedderGate.shut();
      try {
        await goTo(page, "Search");
        await page.getByLabel("Question or words").fill("captain of a vessel in winter");
        await page.keyboard.press("Enter");
        await page.getByText("embedder unavailable").waitFor();
        await page.locator(".hit").first().waitFor();
        await goTo(page, "Live");
        await page.getByRole("row", { name: /embedder embedder_unavailable/ }).waitFor();
      } finally {
        system.embedderGate.open();
      }
    });

    it("says what to do where nothing is found", async () => {
      const { page } = await openPage(browser);
      await signIn(page, system.url, reader);
      await goTo(page, "Search");
      for (const tier of ["event", "summary", "doc", "artifact"])
        await page.getByLabel(tier, { exact: true }).uncheck();
      await page.getByLabel("Question or words").fill("harbour");
      await page.keyboard.press("Enter");
      await page.getByText("Nothing was found").waitFor();
    });
  });

  it("shows what came from a user as text, never as markup", async () => {
    const { page, complaints } = await openPage(browser);
    await signIn(page, system.url, operator);
    await goTo(page, "Search");
    await page.getByLabel("Question or words").fill("text that tries to be markup in a harbour of danger");
    await page.keyboard.press("Enter");
    await page.getByText(MARKUP.title, { exact: true }).waitFor();
    expect(await page.locator(".hit").first().locator(".passage").textContent()).toBe(MARKUP.text);
    await page.evaluate((batch) => (location.hash = `#/batches/${batch}`), BATCH);
    await page.getByText(`${MARKUP.source} · doc`).waitFor();
    expect(await page.evaluate(() => Reflect.get(globalThis, "injected"))).toBeUndefined();
    expect(await page.locator("main b, main i i, main script, main img").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("shows a batch with its progress, its report and its receipts, recounted on a click", async () => {
    const { page, complaints } = await openPage(browser);
    await signIn(page, system.url, operator);
    await goTo(page, "Batches");
    await page.getByRole("link", { name: BATCH }).click();
    await page.getByText("15 of 15 inputs have ended").waitFor();
    await page.getByText("letters · doc").waitFor();
    await page
      .getByText(/^quarantined: duplicate_/)
      .first()
      .waitFor();
    await page.getByRole("combobox", { name: /^outcome/ }).selectOption("indexed");
    const row = page.getByRole("row", { name: /letter-3/ });
    await row.getByRole("button", { name: "recount" }).click();
    await row.getByText("holds", { exact: true }).waitFor();
    expect(await row.textContent()).toMatch(/[1-9]\d* chunks/);
    expect(complaints).toEqual([]);
  });

  it("releases one quarantined input and purges another, each after a question", async () => {
    const { page, complaints } = await openPage(browser);
    await signIn(page, system.url, operator);
    await goTo(page, "Quarantine");
    await page.getByRole("link", { name: "noise-1" }).click();
    await page
      .getByRole("region", { name: /^Start of the text/ })
      .getByText("aaaa bbbb")
      .waitFor();
    await page.getByLabel(/^Note on the decision/).fill("looked at it");
    await page.getByRole("button", { name: "Release", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    expect(await dialog.count()).toBe(0);
    await page.getByRole("button", { name: "Release", exact: true }).click();
    await dialog.getByRole("button", { name: "Release", exact: true }).click();
    await page.getByText("looked at it").waitFor();
    await page.getByRole("link", { name: "noise-2" }).click();
    await page
      .getByRole("region", { name: /^Start of the text/ })
      .getByText("cccc dddd")
      .waitFor();
    await page.getByRole("button", { name: "Purge", exact: true }).click();
    await dialog.getByRole("button", { name: "Purge", exact: true }).click();
    await page.getByText("The text was removed").waitFor();
    await page.getByText("Nothing is held back").waitFor();
    expect(complaints).toEqual([]);
  });

  describe("artifacts", () => {
    it("are opened and read in the browser: a report, and the segment of a conversation", async () => {
      const { page, complaints } = await openPage(browser);
      await signIn(page, system.url, operator);
      await goTo(page, "Artifacts");
      await page.getByRole("link", { name: `report-${BATCH}` }).click();
      await page.getByRole("button", { name: "Open here" }).click();
      await page.getByRole("region", { name: "Content" }).getByText(`"batch_tag": "${BATCH}"`).waitFor();
      await page.getByRole("button", { name: "segment", exact: true }).click();
      const segment = page.locator("tbody a").first();
      await segment.waitFor({ timeout: 60_000 });
      await segment.click();
      await page.getByRole("button", { name: "Open here" }).click();
      await page.getByText("3 events, checksums right").waitFor();
      for (const text of TALK) await page.getByText(text).waitFor();
      expect(complaints).toEqual([]);
    });

    it("that are packs show their records, unless they need a dictionary that a browser's zstd cannot use", async () => {
      await registerGoldenPack(system, "harbour", "conversation");
      await registerGoldenPack(system, "harbour", "with-dictionary");
      const { page, complaints } = await openPage(browser);
      await signIn(page, system.url, operator);
      await goTo(page, "Artifacts");
      await page.getByRole("button", { name: "pack", exact: true }).click();
      await page.getByRole("link", { name: "pack-conversation" }).click();
      await page.getByRole("button", { name: "Open here" }).click();
      const records = page.getByRole("region", { name: "Records" });
      await records.getByText("70 records, digests right").waitFor();
      await records.locator("summary").first().click();
      await records.getByText('"session_id": "talk-1"').first().waitFor();
      await goTo(page, "Artifacts");
      await page.getByRole("button", { name: "pack", exact: true }).click();
      await page.getByRole("link", { name: "pack-with-dictionary" }).click();
      await page.getByRole("button", { name: "Open here" }).click();
      await page.getByRole("alert").getByText("dictionary_needed").waitFor();
      expect(complaints).toEqual([]);
    });

    it("are not shown when their bytes are others than those that were registered", async () => {
      const { page } = await openPage(browser);
      await signIn(page, system.url, operator);
      await page.route("**/v1/artifacts/*/content", (route) => route.fulfill({ status: 200, body: "{}" }));
      await goTo(page, "Artifacts");
      await page.getByRole("link", { name: `report-${BATCH}` }).click();
      await page.getByRole("button", { name: "Open here" }).click();
      await page.getByRole("alert").getByText("hash_differs").waitFor();
    });
  });

  it("runs a job, dry and for real, and shows its report", async () => {
    const { page, complaints } = await openPage(browser);
    await signIn(page, system.url, operator);
    await goTo(page, "Jobs");
    await page.getByRole("link", { name: "sweep" }).click();
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.getByText("a dry run leaves no report in R2").waitFor();
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Run" }).click();
    await page.getByText(/^job_reports\/sweep\//).waitFor();
    await page.getByRole("region", { name: "Report" }).getByText('"lookedAtCount"').waitFor();
    expect(complaints).toEqual([]);
  });

  it("can be walked by the keyboard alone", async () => {
    const { page } = await openPage(browser);
    await signIn(page, system.url, operator);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Skip to the content");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Search");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Search" }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("name"))).toBe("query");
  });

  const PAGES = ["Live", "Search", "Batches", "Quarantine", "Receipts", "Artifacts", "Jobs"];

  it.each([400, 1_360, 3_840])("fits into %i pixels: no page is wider than the window", async (width) => {
    const { page } = await openPage(browser, { width, height: width === 3_840 ? 2_160 : 860 });
    await signIn(page, system.url, operator);
    for (const name of PAGES) {
      await goTo(page, name);
      await page.waitForLoadState("networkidle");
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow, name).toBeLessThanOrEqual(0);
    }
  });

  it.each(["light", "dark"] as const)("has no serious finding of axe on any page, %s", async (colorScheme) => {
    const { page } = await openPage(browser, { colorScheme });
    await page.goto(system.url);
    await page.getByLabel("API key").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await signIn(page, system.url, operator);
    for (const name of PAGES) {
      await goTo(page, name);
      await page.waitForLoadState("networkidle");
      expect(await seriousFindings(page), name).toEqual([]);
    }
    await page.evaluate((batch) => (location.hash = `#/batches/${batch}`), BATCH);
    await page.getByText("letters · doc").waitFor();
    expect(await seriousFindings(page), "Batch").toEqual([]);
  });
});
