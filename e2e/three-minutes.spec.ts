import { expect, test, type Terrarium } from "./support.ts";

const sample = "Hello from my own machine";
const words = (text: string): number => text.split(/\s+/).filter((word) => /\p{L}/u.test(word)).length;

/** Does what the page's guide says, and counts the presses and the words that one has to read for it. */
function newcomer({ page, button }: Terrarium) {
  const spent = { presses: 0, words: 0 };
  const guide = page.getByRole("note");
  return {
    spent,
    /** Reads the sentence, then presses what it speaks of. */
    async follow(sentence: string, name: string | RegExp) {
      await expect(guide).toContainText(sentence, { timeout: 60_000 });
      const target = button(name).first();
      spent.words += words(sentence) + words((await target.textContent()) ?? "");
      spent.presses += 1;
      await target.click();
    },
  };
}

/** The walk of somebody who never saw Nix: change, switch, cut, break, roll back, send; at most 8 presses and 60 words. */
test("the first rollback within three minutes", async ({ terrarium }) => {
  test.setTimeout(240_000);
  const { page } = terrarium;
  const card = page.getByRole("region", { name: "The machine" });
  const started = Date.now();
  await terrarium.open();
  await terrarium.serves(sample);
  await terrarium.running(1);
  const first = await terrarium.state<string>("machine.topLevel");
  const { follow, spent } = newcomer(terrarium);

  await test.step("change it, and switch", async () => {
    await follow("Change the page’s colour.", "Change it");
    await expect(page.getByText(/things? changes?/)).toBeVisible();
    await follow("Now press Switch.", "Switch");
    await terrarium.running(2);
    await expect(card.getByText("Only the arrow moved")).toBeVisible();
    await terrarium.serves(sample);
    expect(await terrarium.state<string>("machine.topLevel")).not.toBe(first);
  });
  await test.step("pull the plug in the middle: dark, then whole", async () => {
    await follow("Pull the plug in the middle of the next one.", "Prepare it");
    await follow("Press Switch. The power will go.", "Switch");
    await expect(card.getByText("No power", { exact: true })).toBeVisible({ timeout: 60_000 });
    await expect(card.getByText("Whole again, on generation 3.")).toBeVisible({ timeout: 60_000 });
    await terrarium.serves(sample);
  });
  const good = await terrarium.state<string>("machine.topLevel");
  await test.step("what builds may still break", async () => {
    await follow("Now break it. It will still build.", "Break it");
    await follow("Press Switch.", "Switch");
    await expect(card.getByText("Nothing answers on port 80.")).toBeVisible({ timeout: 60_000 });
  });
  await test.step("the same hash as before", async () => {
    await follow("The page is gone. Roll back.", /^Roll back/);
    await expect(card.getByText("Nothing was rebuilt. That is why it was instant.")).toBeVisible({ timeout: 60_000 });
    await terrarium.serves(sample);
    expect(await terrarium.state<string>("machine.topLevel")).toBe(good);
    expect(Date.now() - started).toBeLessThan(180_000);
  });
  await test.step("what is sent is the machine that runs", async () => {
    await expect(page.getByRole("note")).toContainText("Send this machine to somebody.");
    spent.words += words("Send this machine to somebody. Share");
    spent.presses += 1;
    await page.getByRole("note").getByRole("button", { name: "Share" }).click();
    await expect(page.getByRole("textbox", { name: "Link" })).toHaveValue(/#1\/[\w-]+$/);
    expect(await terrarium.state<string>("share.expected")).toBe(good);
  });
  expect(spent.presses).toBeLessThanOrEqual(8);
  expect(spent.words).toBeLessThanOrEqual(60);
});
