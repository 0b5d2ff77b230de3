import { expect, test, type Terrarium } from "./support.ts";

interface Course {
  /** Answers the question, whatever one thinks. */
  predict(option: string): Promise<void>;
  /** Presses Check until everything it asks of the real state holds. */
  check(): Promise<void>;
  showMe(): Promise<void>;
}

/** Opens a lesson from the panel. */
async function course(terrarium: Terrarium, title: string): Promise<Course> {
  const { page } = terrarium;
  await terrarium.panel("Lessons");
  await page.getByRole("region", { name: "Content of Lessons" }).getByRole("button", { name: title }).click();
  const steps = page.getByRole("list", { name: "Steps" });
  await expect(steps).toBeVisible();
  await expect.poll(() => terrarium.state("workspace.title")).toBe(title);
  let done = 0;
  return {
    predict: (option) => page.getByRole("radio", { name: option }).check({ force: true }),
    async check() {
      await expect(async () => {
        await terrarium.button("Check").click();
        await expect(page.getByText(/: checking$/)).toHaveCount(0, { timeout: 10_000 });
        await expect.poll(() => at(terrarium, title), { timeout: 1000 }).toBe(done + 1);
      }).toPass({ timeout: 60_000 });
      done += 1;
    },
    showMe: () => terrarium.button("Show me").click(),
  };
}

const at = async (terrarium: Terrarium, title: string): Promise<number | undefined> =>
  (await terrarium.state<{ title: string; at: number }[]>("lessons")).find((lesson) => lesson.title === title)?.at;

const ready = (terrarium: Terrarium) =>
  expect.poll(() => terrarium.state("pending.status"), { timeout: 30_000 }).toBe("ready");

const verdict = (terrarium: Terrarium, text: string | RegExp) =>
  expect(terrarium.page.getByRole("region", { name: "The machine" }).getByText(text)).toBeVisible({ timeout: 60_000 });

/** Plants the plug before a step of the next switch, by the menu of the plug. */
async function plant({ page }: Terrarium, label: string): Promise<void> {
  await page.getByRole("button", { name: "Pull the plug", exact: true }).click();
  await page.getByRole("button", { name: `Pull the plug before ${label}` }).click();
}

test("back in one click", async ({ terrarium }) => {
  const { page } = terrarium;
  test.setTimeout(240_000);
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  const mine = await terrarium.state("workspace.id");
  const lesson = await course(terrarium, "Back in one click");

  await test.step("a machine made from a file", async () => {
    await terrarium.button("Build and boot").click();
    await terrarium.serves("All is well");
    await lesson.check();
  });
  await test.step("break it", async () => {
    await lesson.predict("The machine refuses to switch and keeps the old page");
    await expect(page.getByText("Nix builds what the file says")).toBeVisible();
    await lesson.showMe();
    await ready(terrarium);
    await terrarium.button("Switch").click();
    await verdict(terrarium, /failed\./);
    await lesson.check();
  });
  await test.step("roll back", async () => {
    await lesson.predict("Nothing at all");
    await page
      .getByRole("region", { name: "The machine" })
      .getByRole("button", { name: /^Roll back/ })
      .click();
    await verdict(terrarium, "Nothing was rebuilt. That is why it was instant.");
    await lesson.check();
  });
  await test.step("your file is ahead", async () => {
    await lesson.predict("3");
    await lesson.showMe();
    await ready(terrarium);
    await terrarium.button("Switch").click();
    await terrarium.serves("All is well again");
    await lesson.check();
    await expect(page.getByText("Everything you did would have happened on a real NixOS")).toBeVisible();
  });
  await test.step("back to my work, which is as it was", async () => {
    await terrarium.button("Back to my work").click();
    await expect.poll(() => terrarium.state("workspace.id")).toBe(mine);
    await terrarium.serves("Hello from my own machine");
    await expect(page.getByRole("button", { name: /Back in one click.*done/ })).toBeVisible();
  });
  await test.step("begin again", async () => {
    await page.getByRole("button", { name: /Back in one click/ }).click();
    await terrarium.button("Begin again").click();
    await expect.poll(() => at(terrarium, "Back in one click")).toBe(0);
    await expect(terrarium.button("Build and boot")).toBeVisible();
    expect(await terrarium.state<string>("workspace.files.0.text")).toContain("<h1>All is well</h1>");
    expect(await terrarium.state("generations.list.length")).toBe(0);
  });
});

test("pull the plug", async ({ terrarium }) => {
  test.setTimeout(240_000);
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  const lesson = await course(terrarium, "Pull the plug");

  await test.step("two systems", async () => {
    await lesson.predict("The green page");
    await terrarium.button("Build and boot").click();
    await terrarium.serves("The green one");
    await terrarium.edit("green\\n", "blue\\n");
    await terrarium.edit("seagreen", "steelblue");
    await terrarium.edit("The green one", "The blue one");
    await ready(terrarium);
    await terrarium.button("Other ways to switch").click();
    await terrarium.page.getByRole("menuitem", { name: "nixos-rebuild build" }).click();
    await lesson.check();
  });
  await test.step("before the arrow moves", async () => {
    await lesson.predict("Green, whole");
    await plant(terrarium, "profile");
    await terrarium.button("Switch").click();
    await verdict(terrarium, "Whole again, on generation 1.");
    await terrarium.serves("The green one");
    await lesson.check();
  });
  await test.step("after the arrow moved", async () => {
    await lesson.predict("A machine that needs repair");
    await ready(terrarium);
    await plant(terrarium, "etc");
    await terrarium.button("Switch").click();
    await verdict(terrarium, "Whole again, on generation 2.");
    await terrarium.serves("The blue one");
    await lesson.check();
  });
});

test("declare a page", async ({ terrarium }) => {
  test.setTimeout(240_000);
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  const lesson = await course(terrarium, "Declare a page");

  await test.step("a check that does not hold says what is the case", async () => {
    await lesson.predict("Neither");
    await terrarium.button("Check").click();
    await expect(page.getByText('It is "nixos".')).toBeVisible();
  });
  await test.step("give it a name", async () => {
    await terrarium.edit("nixos", "clover");
    await lesson.check();
  });
  await test.step("a file and a program", async () => {
    await lesson.predict("A link into the store, which nobody can change");
    await lesson.showMe();
    await expect
      .poll(() => terrarium.state<string[]>("evaluation.result.etcFiles").then(String))
      .toContain("favourite");
    await terrarium.button("Build and boot").click();
    await terrarium.running(1);
    await lesson.check();
  });
  await test.step("progress is kept", async () => {
    await page.reload();
    await terrarium.running(1);
    await terrarium.panel("Lessons");
    await expect(page.getByRole("heading", { name: "The page" })).toBeVisible();
  });
  await test.step("the page", async () => {
    await lesson.predict("No: one service starts, everything else stays");
    await lesson.showMe();
    await ready(terrarium);
    await terrarium.button("Switch").click();
    await terrarium.serves("Hello from clover");
    await lesson.check();
  });
  await test.step("the same text, the same path", async () => {
    const path = await terrarium.state<string>("evaluation.result.outPath");
    await terrarium.edit("Hello from clover", "Goodbye");
    await ready(terrarium);
    expect(await terrarium.state("evaluation.result.outPath")).not.toBe(path);
    await terrarium.edit("Goodbye", "Hello from clover");
    await expect.poll(() => terrarium.state("evaluation.result.outPath")).toBe(path);
    await lesson.predict("It is the first one again");
    await lesson.check();
  });
});
