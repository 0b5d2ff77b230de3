/** What goes between the machine and the visitor: any of its ports, files both ways, a picture of its screen. */
import { readFile } from "node:fs/promises";
import { expect, test } from "./support.ts";

test("ports, files and pictures", async ({ terrarium }) => {
  test.setTimeout(180_000);
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves("Hello from my own machine");
  await test.step("a file is sent", async () => {
    await terrarium.panel("Terminal");
    await page.locator('input[type="file"]').setInputFiles({
      name: "note.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("from outside\n"),
    });
    await terrarium.type("cat /root/note.txt; httpd -p 8081 -h /root");
    await terrarium.terminalShows("from outside");
  });
  await test.step("another port answers", async () => {
    const address = page.getByRole("textbox", { name: /^Path on/ });
    await address.fill(":8081/note.txt");
    await address.press("Enter");
    await terrarium.serves("from outside");
  });
  await test.step("a file is taken", async () => {
    await page.getByRole("button", { name: "Files and pictures" }).click();
    await page.getByRole("menuitem", { name: /Save a file of the machine/ }).click();
    await page.getByRole("textbox", { name: "Path in the machine" }).fill("/root/note.txt");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save", exact: true }).click(),
    ]);
    expect([download.suggestedFilename(), await readFile(await download.path(), "utf8")]).toEqual([
      "note.txt",
      "from outside\n",
    ]);
  });
  await test.step("a picture of the screen", async () => {
    await page.getByRole("button", { name: "Files and pictures" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: /Save a picture/ }).click(),
    ]);
    const png = await readFile(await download.path());
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.length).toBeGreaterThan(2000);
  });
});
