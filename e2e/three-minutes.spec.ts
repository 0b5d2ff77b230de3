import { expect, test } from "./support.ts";

/** The walk of somebody who never saw Nix: change, switch, roll back; at most 8 presses and 60 words. */
test("the first rollback within three minutes", async ({ terrarium }) => {
  const { page } = terrarium;
  const started = Date.now();
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  await terrarium.running(1);
  const first = await terrarium.state<string>("machine.topLevel");

  await terrarium.button("Change it").click();
  await expect(page.getByText(/things? changes?/)).toBeVisible();
  await terrarium.button("Switch").click();
  await terrarium.running(2);
  await expect(page.getByText("Only the arrow moved")).toBeVisible();
  await terrarium.serves("Hello from my own machine");
  expect(await terrarium.state<string>("machine.topLevel")).not.toBe(first);

  await terrarium.button(/Roll back/).click();
  await expect(page.getByText("Nothing was rebuilt. That is why it was instant.")).toBeVisible();
  await terrarium.running(1);
  expect(await terrarium.state<string>("machine.topLevel")).toBe(first);
  expect(Date.now() - started).toBeLessThan(180_000);
});
