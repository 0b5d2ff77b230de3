import { AxeBuilder } from "@axe-core/playwright";
import { test as plain, type Page } from "@playwright/test";
import { expect, test, visitor, type Terrarium } from "./support.ts";

const sample = "Hello from my own machine";

test("a second tab on the same workspace", async ({ terrarium, context }) => {
  test.setTimeout(180_000);
  await terrarium.open();
  await terrarium.serves(sample);
  const second = await terrarium.reopen(context);
  await test.step("it says that there is another one", async () => {
    await expect(second.page.getByRole("status", { name: "Messages" })).toContainText(/another tab/i);
  });
  await test.step("the first one works on, and nothing is lost", async () => {
    await second.page.close();
    await terrarium.page.bringToFront();
    await terrarium.recolour("teal");
    await terrarium.button("Switch").click();
    await terrarium.running(2);
    expect(await terrarium.command("nix-store --verify --check-contents")).toBe(0);
  });
});

plain("a browser without a feature is told which", async ({ page }) => {
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "DecompressionStream");
  });
  await page.goto("/");
  await expect(page.getByText("This browser lacks compression streams.").first()).toBeVisible();
  await expect(page.getByRole("region", { name: "The configuration" })).toContainText("networking.hostName");
});

/** From now on the store's worker is told, at every write, that there is no room: what a browser does at its quota. */
async function fill(page: Page): Promise<void> {
  for (const worker of page.workers().filter((one) => one.url().includes("store-worker")))
    await worker.evaluate(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("no room", "QuotaExceededError");
      };
    });
}

test("a full disk", async ({ terrarium }) => {
  test.setTimeout(180_000);
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves(sample);
  const before = await terrarium.state("generations.list");
  await test.step("says so, and the machine is as it was", async () => {
    await terrarium.recolour("teal");
    await fill(page);
    await terrarium.button("Switch").click();
    await expect(page.getByText("The browser's disk space for this page is full.").first()).toBeVisible();
    await expect(terrarium.button("Cancel")).toHaveCount(0);
    await terrarium.running(1);
    expect(await terrarium.state("generations.list.length")).toBe((before as unknown[]).length);
  });
  await test.step("nothing registered is lost", async () => {
    expect(await terrarium.command("nix-store --verify --check-contents")).toBe(0);
    await terrarium.serves(sample);
  });
  await test.step("with room again it goes on", async () => {
    await page.reload();
    await terrarium.serves(sample);
    await terrarium.recolour("tomato");
    await terrarium.button("Switch").click();
    await terrarium.running(2);
  });
});

/** What axe finds; Monaco, xterm and the guest's page are not ours to mark up. */
async function accessible({ page }: Terrarium, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .exclude(".monaco-editor")
    .exclude(".xterm")
    .exclude("iframe")
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"])
    .analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  expect(found, where).toEqual([]);
}

const panels = [
  "Result",
  "Changes",
  "Generations",
  "Closure",
  "Services",
  "Commands",
  "Lessons",
  "Store",
  "Sources",
  "Take home",
  "Settings",
];

for (const colorScheme of ["light", "dark"] as const)
  test(`axe finds nothing, ${colorScheme}`, async ({ terrarium }) => {
    test.setTimeout(180_000);
    const { page } = terrarium;
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await terrarium.open();
    await terrarium.serves(sample);
    await accessible(terrarium, "running");
    for (const name of panels) {
      await terrarium.panel(name);
      await expect(page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name })).toHaveAttribute(
        "aria-pressed",
        "true",
      );
      await accessible(terrarium, name);
    }
    await terrarium.recolour("teal");
    await accessible(terrarium, "a change is ready");
    await terrarium.edit('colour = "teal"', "colour = teel");
    await expect(page.getByRole("region", { name: "What is wrong" })).toBeVisible();
    await accessible(terrarium, "an error");
    await page.getByRole("banner").getByRole("button", { name: "Share" }).click();
    await accessible(terrarium, "sharing");
  });

plain("a narrow screen", async ({ browser, baseURL }) => {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    ...(baseURL === undefined ? {} : { baseURL }),
  });
  const page = await context.newPage();
  const terrarium = visitor(page);
  await page.goto("/");
  const parts = page.getByRole("navigation", { name: "Parts" });
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
  const file = page.getByRole("region", { name: "The configuration" });
  await plain.step("the file, edited by thumb", async () => {
    await expect(file).toBeVisible();
    expect(await wide()).toBeLessThanOrEqual(390);
    const text = file.getByRole("textbox").first();
    await expect.poll(() => terrarium.state("machine.phase"), { timeout: 60_000 }).toBe("running");
    await text.fill((await text.inputValue()).replace("seagreen", "teal"));
  });
  await plain.step("the machine, switched", async () => {
    await parts.getByRole("button", { name: "Machine" }).tap();
    await terrarium.serves(sample);
    expect(await wide()).toBeLessThanOrEqual(390);
    await page.getByRole("button", { name: "Switch", exact: true }).tap();
    await terrarium.running(2);
  });
  await plain.step("a panel", async () => {
    await parts.getByRole("button", { name: /Panels|More/ }).tap();
    await page.getByRole("menuitem", { name: "Generations" }).tap();
    await expect(page.getByRole("list", { name: "Timeline" })).toBeVisible();
    expect(await wide()).toBeLessThanOrEqual(390);
  });
  await context.close();
});
