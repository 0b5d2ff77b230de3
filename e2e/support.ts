/** What the journeys share: the page as a visitor names its parts, and a test that fails on any error the page reports. */
import { test as base, expect, type Page } from "@playwright/test";

export { expect };

export interface Terrarium {
  readonly page: Page;
  /** Opens the page (or a link) and waits until it is ready. */
  open(fragment?: string): Promise<void>;
  /** The machine runs and its web page says this. */
  serves(text: string): Promise<void>;
  /** Replaces a piece of the open file, by typing. */
  edit(from: string, to: string): Promise<void>;
  button(name: string | RegExp): ReturnType<Page["getByRole"]>;
  /** The generation that runs, as the card says. */
  running(generation: number): Promise<void>;
  /** The session's own state, for what no visitor sees. */
  state<T>(read: string): Promise<T>;
}

/** Console messages that are not the page's: a browser that runs without a GPU warns about it. */
const harmless = [/GPU|WebGL|swiftshader/i];

export const test = base.extend<{ terrarium: Terrarium }>({
  terrarium: async ({ page }, use) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !harmless.some((one) => one.test(message.text()))) errors.push(message.text());
    });
    await use(visitor(page));
    expect(errors).toEqual([]);
  },
});

function visitor(page: Page): Terrarium {
  const self: Terrarium = {
    page,
    async open(fragment = "") {
      await page.goto(`/${fragment}`);
      await expect(page.getByRole("region", { name: "The machine" })).toBeVisible();
    },
    async serves(text) {
      const frame = page.getByRole("region", { name: "The machine" }).frameLocator("iframe");
      await expect(frame.getByText(text)).toBeVisible({ timeout: 60_000 });
    },
    async edit(from, to) {
      await page.evaluate(() => document.fonts.ready);
      await replaceText(page, from, to);
    },
    button: (name) => page.getByRole("button", { name, exact: true }),
    async running(generation) {
      const card = page.getByRole("region", { name: "The machine" });
      await expect(card.getByText(`generation ${generation}`, { exact: true })).toBeVisible({ timeout: 60_000 });
    },
    state: (read) =>
      page.evaluate((path) => {
        let value: unknown = (globalThis as { terrarium?: { getState(): unknown } }).terrarium?.getState();
        for (const name of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[name];
        return value as never;
      }, read),
  };
  return self;
}

/** Finds a text in the editor with its own search, and types over it. */
async function replaceText(page: Page, from: string, to: string): Promise<void> {
  await page.locator(".monaco-editor").first().waitFor();
  await page
    .locator(".monaco-editor .view-lines")
    .first()
    .click({ position: { x: 200, y: 8 } });
  await page.keyboard.press("Control+F");
  const find = page.locator(".find-widget textarea").first();
  await find.fill(from);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.keyboard.insertText(to);
}
