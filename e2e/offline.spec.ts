import { expect, test } from "./support.ts";

test("after one visit the page opens, builds and boots without a network", async ({ terrarium, context }) => {
  test.setTimeout(180_000);
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  await test.step("everything is kept", async () => {
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe("activated");
  });
  await page.close();
  await context.setOffline(true);

  const again = await terrarium.reopen(context);
  await test.step("it starts", async () => {
    await again.serves("Hello from my own machine");
    await again.running(1);
  });
  await test.step("it builds and switches", async () => {
    await again.recolour("teal");
    await again.button("Switch").click();
    await again.running(2);
  });
  await test.step("panels that were never opened before", async () => {
    await again.panel("Closure");
    await expect(again.page.getByRole("table", { name: "Closure" })).toBeVisible();
    await again.type("uname -s; echo EN''D");
    await again.terminalShows("Linux");
  });
  await test.step("the builder's machine is there too", async () => {
    await again.edit(
      "pkgs.cowsay ];",
      'pkgs.cowsay (pkgs.runCommand "offline" { } "mkdir -p $out/bin; echo made here > $out/bin/note") ];',
    );
    await expect.poll(() => again.state("pending.status")).toBe("ready");
    await again.button("Switch").click();
    await again.running(3);
  });
});
