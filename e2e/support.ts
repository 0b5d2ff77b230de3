/** What the journeys share: the page as a visitor names its parts, and a test that fails on any error the page reports. */
import { test as base, expect, type BrowserContext, type Page } from "@playwright/test";

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
  /** Gives the sample's page another colour and waits until the strip says what would change. */
  recolour(colour: string): Promise<void>;
  /** Plants the plug before a step of the next switch. */
  plant(step: string): Promise<void>;
  /** Opens a panel of the rail. */
  panel(name: string): Promise<void>;
  /** Runs a command in the page's console; its exit code. */
  command(line: string): Promise<number>;
  /** Types a line into a shell of the machine, opened if need be. */
  type(line: string): Promise<void>;
  terminalShows(text: string | RegExp): Promise<void>;
  /** The same browser's next visit, in a new tab. */
  reopen(context: BrowserContext): Promise<Terrarium>;
  /** The session's own state, for what no visitor sees. */
  state<T>(read: string): Promise<T>;
}

/** The page's store, as the browser's console has it. */
interface Console {
  terrarium: { getState(): Record<string, unknown>; setState(change: (state: never) => object): void };
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

export function visitor(page: Page): Terrarium {
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
      const texts = () => self.state<{ text: string }[]>("workspace.files").then((all) => all.map(({ text }) => text));
      await expect.poll(async () => (await texts()).join("\n")).toContain(to);
    },
    button: (name) => page.getByRole("button", { name, exact: true }),
    async running(generation) {
      const card = page.getByRole("region", { name: "The machine" });
      await expect(card.getByText(`generation ${generation}`, { exact: true })).toBeVisible({ timeout: 60_000 });
    },
    async recolour(colour) {
      const before = await self.state("evaluation.result.outPath");
      const old = await self.state<string>("workspace.files.0.text");
      const from = /colour = "([^"]*)"/.exec(old)?.[1] ?? "";
      await self.edit(`colour = "${from}"`, `colour = "${colour}"`);
      await expect.poll(() => self.state("evaluation.result.outPath")).not.toBe(before);
      await expect.poll(() => self.state("pending.status"), { timeout: 30_000 }).toBe("ready");
    },
    plant: (step) =>
      page.evaluate((before) => {
        const { terrarium } = globalThis as unknown as Console;
        terrarium.setState(({ ui }: { ui: object }) => ({ ui: { ...ui, plugBefore: before } }));
      }, step),
    async command(line) {
      await self.panel("Commands");
      const input = page.getByRole("textbox", { name: "Command" });
      await input.fill(line);
      await input.press("Enter");
      const code = () =>
        self.state<{ exitCode: number | null }[]>("console").then((list) => list.at(-1)?.exitCode ?? null);
      await expect.poll(code, { timeout: 60_000 }).not.toBeNull();
      return (await code()) as number;
    },
    async type(line) {
      await self.panel("Terminal");
      const terminal = page.locator(".xterm-helper-textarea").last();
      const open = page.getByRole("button", { name: "Open a shell" });
      await expect(terminal.or(open)).toBeAttached();
      if (await open.isVisible()) await open.click();
      await terminal.waitFor({ state: "attached" });
      await terminal.focus();
      await expect(page.locator(".xterm-rows").last()).toContainText(/[#$]/);
      await page.keyboard.type(`${line}\n`);
    },
    async terminalShows(text) {
      await expect(page.locator(".xterm-rows").last()).toContainText(text, { timeout: 30_000 });
    },
    async panel(name) {
      const button = page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name });
      if ((await button.getAttribute("aria-pressed")) !== "true") await button.click();
    },
    async reopen(context) {
      const next = visitor(await context.newPage());
      await next.open();
      return next;
    },
    state: (read) =>
      page.evaluate((path) => {
        let value: unknown = (globalThis as unknown as Partial<Console>).terrarium?.getState();
        for (const name of path.split(".")) value = (value as Record<string, unknown> | null | undefined)?.[name];
        return value as never;
      }, read),
  };
  return self;
}

/** Finds a text in the editor with its own search, and types over it. */
async function replaceText(page: Page, from: string, to: string): Promise<void> {
  // The editor's own frame, which stays in place however far its text is scrolled.
  await page
    .locator(".monaco-editor")
    .first()
    .click({ position: { x: 200, y: 8 } });
  await page.keyboard.press("Control+F");
  const find = page.locator(".find-widget textarea").first();
  await find.fill(from);
  await expect(page.locator(".find-widget .matchesCount").first()).toHaveText(/\d+ of \d+/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.keyboard.insertText(to);
}
