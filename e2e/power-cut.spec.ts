import { expect, test, type Terrarium } from "./support.ts";

/** Steps before which the plug is pulled, and which generation the next boot must find. */
const cuts = [
  ["register", "old"],
  ["profile", "old"],
  ["stop-units", "new"],
  ["etc", "new"],
  ["users", "new"],
  ["current-system", "new"],
  ["reload", "new"],
  ["start-units", "new"],
  ["done", "new"],
] as const;

/** What a switch of one colour leaves behind after a cut: the state a visitor sees when the machine is whole again. */
async function cutBefore(
  terrarium: Terrarium,
  step: string,
  colour: string,
): Promise<{ before: number; after: number }> {
  const { page } = terrarium;
  const before = await terrarium.state<number>("machine.generation");
  await terrarium.recolour(colour);
  await terrarium.plant(step);
  await terrarium.button("Switch").click();
  // The sentence of the cut before this one may still be there.
  await expect.poll(() => terrarium.state("machine.phase"), { intervals: [50] }).not.toBe("running");
  await expect.poll(() => terrarium.state("machine.phase"), { timeout: 60_000 }).toBe("running");
  await expect(page.getByText(/Whole again, on generation \d+\./)).toBeVisible({ timeout: 60_000 });
  return { before, after: await terrarium.state<number>("machine.generation") };
}

test("a switch that is cut anywhere leaves the old or the new generation, whole", async ({ terrarium }) => {
  test.setTimeout(600_000);
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  for (const [index, [step, expected]] of cuts.entries()) {
    const colour = `rgb(${20 * index}, 80, 120)`;
    const { before, after } = await cutBefore(terrarium, step, colour);
    expect(after === before ? "old" : "new", `cut before ${step}`).toBe(expected);
    await terrarium.serves("Hello from my own machine");
    const running = await terrarium.state<string>("machine.topLevel");
    const shown = await terrarium.state<string>("evaluation.result.outPath");
    expect(running === shown ? "new" : "old", `what runs after a cut before ${step}`).toBe(expected);
    expect(await terrarium.command("nix-store --verify --check-contents")).toBe(0);
  }
});

test("a tab that dies in the middle of a build loses nothing that was there", async ({ terrarium, context }) => {
  test.setTimeout(240_000);
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  const first = await terrarium.state<string>("machine.topLevel");
  await terrarium.recolour("teal");
  await terrarium.button("Switch").click();
  await page.close({ runBeforeUnload: false });

  const again = await terrarium.reopen(context);
  await again.serves("Hello from my own machine");
  const now = await again.state<string>("machine.topLevel");
  const configured = await again.state<string>("evaluation.result.outPath");
  expect([first, configured]).toContain(now);
  expect(await again.command("nix-store --verify --check-contents")).toBe(0);
});

test("what the guest had synced is there after a cut", async ({ terrarium }) => {
  test.setTimeout(240_000);
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  await terrarium.type("echo kept > /var/lib/kept && sync && echo SYN''CED");
  await terrarium.terminalShows("SYNCED");
  await terrarium.button("Pull the plug").click();
  await expect(terrarium.page.getByText(/Whole again/)).toBeVisible({ timeout: 60_000 });
  await terrarium.type("cat /var/lib/kept; echo EN''D");
  await terrarium.terminalShows("kept");
});
