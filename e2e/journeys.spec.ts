import { expect, test, type Terrarium } from "./support.ts";

const sample = "Hello from my own machine";
/** Ends some day, but nobody waits for it. */
const endless =
  "builtins.foldl' (a: b: builtins.foldl' (c: d: c) a (builtins.genList (x: x) 1000)) 0 (builtins.genList (x: x) 1000000)";

/** Starts a workspace from an example, by its title in the menu of workspaces. */
async function example(terrarium: Terrarium, title: string): Promise<void> {
  const { page } = terrarium;
  await page.getByRole("banner").getByRole("button").first().click();
  await page.getByRole("menuitem", { name: title }).click();
  await expect.poll(() => terrarium.state("workspace.title")).toBe(title);
}

const strip = ({ page }: Terrarium) => page.getByRole("region", { name: "What would change" });
const machine = ({ page }: Terrarium) => page.getByRole("region", { name: "The machine" });
const wrong = ({ page }: Terrarium) => page.getByRole("region", { name: "What is wrong" });

/** Chooses one of a panel's views. */
const view = ({ page }: Terrarium, name: string) =>
  page.getByRole("radiogroup", { name: "View" }).getByText(name, { exact: true }).click();

/** Chooses another way to switch from the menu beside the button. */
async function variant(terrarium: Terrarium, command: string): Promise<void> {
  await terrarium.button("Other ways to switch").click();
  await terrarium.page.getByRole("menuitem", { name: command }).click();
}

test("errors stand where they are, and the page never freezes", async ({ terrarium }) => {
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves(sample);

  await test.step("a syntax error", async () => {
    await terrarium.edit('colour = "seagreen";', 'colour = "seagreen"');
    await expect(wrong(terrarium)).toContainText("syntax error, unexpected");
    await expect(strip(terrarium)).toContainText(/An error on line [456]/);
    await expect(page.locator(".monaco-editor .squiggly-error").first()).toBeVisible();
  });
  await test.step("an error of evaluation, in Nix's words at its line", async () => {
    await terrarium.edit('colour = "seagreen"', "colour = seagren;");
    await expect(wrong(terrarium)).toContainText("undefined variable 'seagren'");
    await expect(strip(terrarium)).toContainText("An error on line 4");
    await expect(machine(terrarium)).toBeVisible();
    await terrarium.serves(sample);
  });
  await test.step("a runaway evaluation can be stopped", async () => {
    await terrarium.edit("colour = seagren;", `colour = ${endless};`);
    const stop = page.getByRole("button", { name: "Stop", exact: true }).first();
    await expect(stop).toBeVisible();
    const asked = Date.now();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    expect(Date.now() - asked, "the page answers while it evaluates").toBeLessThan(2000);
    await stop.click();
    await expect(wrong(terrarium)).toContainText("You stopped this evaluation.");
  });
  await test.step("the next key starts again", async () => {
    await terrarium.edit(`colour = ${endless};`, 'colour = "seagreen";');
    await expect(strip(terrarium)).toContainText("The machine runs this file");
  });
  await test.step("bad input of every kind gets Nix's message", async () => {
    await example(terrarium, "A misspelt option");
    await expect(wrong(terrarium)).toContainText("does not exist");
    await expect(wrong(terrarium)).toContainText(/did you mean/i);
    await example(terrarium, "A wrong type");
    await expect(wrong(terrarium)).toContainText("is not of type");
  });
});

test("the closure: list, sizes, and why one path needs another", async ({ terrarium }) => {
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves(sample);
  await terrarium.panel("Closure");
  const table = page.getByRole("table", { name: "Closure" });
  const sizes = async () => {
    const texts = await table.getByRole("row").locator("td:nth-child(1), th[scope=row]").allTextContents();
    return texts;
  };
  await expect(table).toBeVisible();
  const bySize = await sizes();
  await test.step("sorted by another column", async () => {
    await table.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
    const byName = await sizes();
    expect(byName).not.toEqual(bySize);
    expect(byName.toSorted()).toEqual(bySize.toSorted());
  });
  await test.step("narrowed by a few letters", async () => {
    await page.getByRole("searchbox", { name: "Only names with" }).fill("busybox");
    await expect(table.getByRole("button", { name: /busybox.*: open/ }).first()).toBeVisible();
    expect((await sizes()).length).toBeLessThan(bySize.length);
  });
  await test.step("what one path is", async () => {
    await table
      .getByRole("button", { name: /busybox.*: open/ })
      .first()
      .click();
    await expect(page.getByRole("complementary", { name: "Chosen path" })).toContainText("busybox");
  });
  await test.step("as areas", async () => {
    await view(terrarium, "Sizes");
    await expect(page.getByRole("button", { name: /busybox.*[kM]B/ }).first()).toBeVisible();
  });
  await test.step("why the system needs the page", async () => {
    await view(terrarium, "Why");
    const target = page.getByRole("combobox", { name: "To" });
    await target.selectOption({ label: await optionLike(terrarium, /^index\.html$/) });
    await expect(page.locator(".why-chain").first()).toContainText("nixos-system-moss");
    await expect(page.locator(".why-chain").first()).toContainText("static-web-server");
  });
});

async function optionLike({ page }: Terrarium, name: RegExp): Promise<string> {
  const all = await page.getByRole("combobox", { name: "To" }).getByRole("option").allTextContents();
  return all.find((each) => name.test(each)) ?? "";
}

test("a build that fails leaves the machine as it was", async ({ terrarium }) => {
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves(sample);
  const before = await terrarium.state<string>("machine.topLevel");
  await terrarium.edit(
    "pkgs.cowsay ];",
    'pkgs.cowsay (pkgs.runCommand "site" { } "echo looking for the pages; exit 7") ];',
  );
  await expect(strip(terrarium)).toContainText("What changes shows when it is built");
  await terrarium.button("Switch").click();
  await expect(strip(terrarium)).toContainText("Building site failed", { timeout: 90_000 });
  await expect(strip(terrarium)).toContainText("The machine is as it was.");
  await page.getByRole("button", { name: "Show the log" }).click();
  await expect(page.getByText("looking for the pages").first()).toBeVisible();
  await expect(page.getByText("Reason: builder failed with exit code 7.").first()).toBeVisible();
  await terrarium.serves(sample);
  await terrarium.running(1);
  expect(await terrarium.state("machine.topLevel")).toBe(before);
});

test("a service that fails: exit code 4, and back again", async ({ terrarium }) => {
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves(sample);
  const first = await terrarium.state<string>("machine.topLevel");

  await test.step("the switch goes through, the service does not", async () => {
    await terrarium.edit(
      "isNormalUser = true;",
      'isNormalUser = true; systemd.services.static-web-server.preStart = "test -e /var/lib/license";',
    );
    await expect(strip(terrarium)).toContainText(/things? changes?/);
    await terrarium.button("Switch").click();
    await expect(machine(terrarium)).toContainText("Generation 2 is in place, but static-web-server.service failed.", {
      timeout: 60_000,
    });
    await terrarium.panel("Changes");
    await view(terrarium, "Switch");
    await expect(page.getByText("exit code 4")).toBeVisible();
    await expect(page.getByText(/the following units failed: static-web-server\.service/)).toBeVisible();
    await expect(machine(terrarium)).toContainText(/Nothing answers|1 failed/);
  });
  await test.step("roll back: the very same system", async () => {
    await strip(terrarium).getByRole("button", { name: "Roll back" }).click();
    await expect(machine(terrarium)).toContainText("Nothing was rebuilt. That is why it was instant.");
    await terrarium.serves(sample);
    expect(await terrarium.state("machine.topLevel")).toBe(first);
  });
  await test.step("the file is ahead: restore it", async () => {
    await expect(page.getByText("This file is ahead of the machine")).toBeVisible();
    await page.getByRole("button", { name: "Restore its file" }).first().click();
    await expect(strip(terrarium)).toContainText("The machine runs this file");
  });
});

test("every way to switch, generations, the boot menu and the terminal", async ({ terrarium, context }) => {
  test.setTimeout(300_000);
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves(sample);
  const first = await terrarium.state<string>("machine.topLevel");

  await test.step("dry-activate only says", async () => {
    await terrarium.recolour("teal");
    await variant(terrarium, "nixos-rebuild dry-activate");
    const log = () => terrarium.state<string[]>("switching.log").then((lines) => lines.join("\n"));
    await expect.poll(log).toMatch(/would (re)?start/);
    await expect.poll(() => terrarium.state("switching.exitCode")).toBe(0);
    expect(await terrarium.state("machine.topLevel")).toBe(first);
    await terrarium.running(1);
  });
  await test.step("build only builds", async () => {
    await variant(terrarium, "nixos-rebuild build");
    await expect.poll(() => terrarium.state("build.phase")).toBe("done");
    await terrarium.running(1);
  });
  await test.step("test runs it, unsaved", async () => {
    await variant(terrarium, "nixos-rebuild test");
    await expect(machine(terrarium).getByText("running, not saved").first()).toBeVisible({ timeout: 60_000 });
    await terrarium.panel("Generations");
    await expect(page.getByRole("list", { name: "Timeline" })).toContainText("running, not saved");
    expect(await terrarium.state("generations.list.length")).toBe(1);
  });
  await test.step("boot is for the next start", async () => {
    await terrarium.recolour("tomato");
    await variant(terrarium, "nixos-rebuild boot");
    await expect(machine(terrarium)).toContainText("Generation 2 starts at the next boot.", { timeout: 60_000 });
    await page.getByRole("button", { name: "Power and boot menu" }).click();
    await page.getByRole("menuitem", { name: /^Restart/ }).click();
    await terrarium.running(2);
    await terrarium.serves(sample);
  });
  await test.step("switch: generation 3", async () => {
    await terrarium.recolour("rebeccapurple");
    await terrarium.button("Switch").click();
    await terrarium.running(3);
  });
  await test.step("the timeline: a note, a difference, another generation", async () => {
    await terrarium.panel("Generations");
    const timeline = page.getByRole("list", { name: "Timeline" });
    await expect(timeline.getByRole("button")).toHaveCount(3);
    await timeline.getByRole("button", { name: "Generation 1" }).click();
    await page.getByRole("textbox", { name: "Note for generation 1" }).fill("where it began");
    await timeline.getByRole("button", { name: "Generation 3" }).click();
    await expect(timeline).toContainText("where it began");
    await expect(page.getByRole("region", { name: "Difference" })).toContainText("static-web-server");
  });
  await test.step("an older one from the boot menu, once", async () => {
    await page.getByRole("button", { name: "Power and boot menu" }).click();
    await page.getByRole("menuitemradio", { name: "Generation 1" }).click();
    await terrarium.running(1);
    expect(await terrarium.state("machine.topLevel")).toBe(first);
    await terrarium.panel("Generations");
    const marks = page.getByRole("list", { name: "Timeline" });
    await expect(marks.getByRole("button", { name: "Generation 1" })).toContainText("running");
    await expect(marks.getByRole("button", { name: "Generation 3" })).toContainText("starts next");
  });
  await test.step("nixos-rebuild typed in the machine", async () => {
    await terrarium.type("nixos-rebuild list-generations");
    await terrarium.terminalShows("Generation  Build-date");
    await terrarium.type("nixos-rebuild switch --rollback; echo code=$?");
    await terrarium.terminalShows("code=0");
    await terrarium.running(2);
    await terrarium.type("nix-store -q --references /run/current-system | wc -l | sed 's/^/references=/'");
    await terrarium.terminalShows(/references=[1-9]/);
  });
  await test.step("a command in the page, on the same store", async () => {
    expect(await terrarium.command("nixos-rebuild list-generations")).toBe(0);
    await expect(page.getByRole("log", { name: "Output" })).toContainText("Current");
    expect(await terrarium.command("nix-store -q --nosuch")).toBe(1);
  });
  await test.step("come back tomorrow: files, generations, /home and /var", async () => {
    await terrarium.type(
      "mkdir -p /home/alice; echo mine > /home/alice/note; echo ours > /var/lib/note; sync; echo SYN''CED",
    );
    await terrarium.terminalShows("SYNCED");
    const files = await terrarium.state("workspace.files");
    await page.close();
    const again = await terrarium.reopen(context);
    await again.running(2);
    await again.serves(sample);
    expect(await again.state("workspace.files")).toEqual(files);
    expect(await again.state("generations.list.length")).toBe(3);
    expect(await again.state("generations.list.0.note")).toBe("where it began");
    await again.type("cat /home/alice/note /var/lib/note; echo EN''D");
    await again.terminalShows("mine");
    await again.terminalShows("ours");
  });
});
