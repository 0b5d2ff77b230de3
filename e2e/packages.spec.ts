/** The package set's real software: fetched from the cache beside the page, compiled in the builder, and running in the machine. */
import { type Terrarium, expect, test } from "./support.ts";

/** Starts a workspace from an example, by its title in the menu of workspaces, and its machine. */
async function example(terrarium: Terrarium, title: string): Promise<void> {
  const { page } = terrarium;
  await page.getByRole("banner").getByRole("button").first().click();
  await page.getByRole("menuitem", { name: title }).click();
  await expect.poll(() => terrarium.state("workspace.title")).toBe(title);
  await terrarium.button("Build and boot").click();
}

test("nginx serves two hosts, and real programs answer", async ({ terrarium }) => {
  test.setTimeout(300_000);
  await terrarium.open();
  await example(terrarium, "nginx with two hosts");
  await expect.poll(() => terrarium.state("machine.hostName"), { timeout: 200_000 }).toBe("reed");
  await terrarium.serves("One server, several hosts.");
  await terrarium.type(
    "clear; hello; bash --version | head -n 1; curl -s -H 'Host: pond' localhost | grep -o '<h1>.*</h1>'",
  );
  await terrarium.terminalShows("Hello, world!");
  await terrarium.terminalShows("GNU bash, version 5.2.15");
  await terrarium.terminalShows("<h1>pond</h1>");
});

test("a program is compiled in the tab and runs in the machine", async ({ terrarium }) => {
  // Six derivations, each a minute's work for a busy computer.
  test.skip(process.env.TERRARIUM_CAMPAIGN === undefined, "long: TERRARIUM_CAMPAIGN=1");
  test.setTimeout(600_000);
  await terrarium.open();
  await example(terrarium, "Programs from source");
  await expect.poll(() => terrarium.state("machine.hostName"), { timeout: 500_000 }).toBe("acorn");
  await terrarium.type("clear; greet you; sprout --version; sprout-old --version; sprout-tall | wc -l");
  await terrarium.terminalShows("Hello, you, from a program compiled in a browser tab.");
  await terrarium.terminalShows("sprout 0.3 with libsprout 2.0.1");
  await terrarium.terminalShows("sprout 0.3 with libsprout 1.4.0");
  await terrarium.terminalShows("13");
});
