/** The repl: values, names, the workspace's files, completion, history, and Ctrl+C in the midst of an endless evaluation. */
import { expect, test } from "./support.ts";

test("a session of the repl", async ({ terrarium }) => {
  await terrarium.open();
  await terrarium.panel("Repl");
  const { page } = terrarium;
  const field = page.getByLabel("Expression");
  const log = page.getByRole("log", { name: "Values" });
  const say = async (line: string): Promise<void> => {
    await field.fill(line);
    await field.press("Enter");
  };
  await say("1 + 2");
  await expect(log).toContainText("3", { timeout: 60_000 });
  await say("answer = 6 * 7");
  await say("(answer");
  await say("+ 1)");
  await expect(log).toContainText("43");
  await say("builtins.attrNames (builtins.readDir ./.)");
  await expect(log).toContainText("configuration.nix");
  await field.fill("builtins.attrNa");
  await field.press("Tab");
  await expect(field).toHaveValue("builtins.attrNames");
  await field.fill("");
  await field.press("ArrowUp");
  await expect(field).toHaveValue("builtins.attrNames (builtins.readDir ./.)");
  await say(
    "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: builtins.length (builtins.genList (y: y) 100000)) 10000000)",
  );
  await expect(page.getByText("evaluating…")).toBeVisible();
  await field.press("Control+c");
  await expect(log).toContainText("interrupted by the user");
  // Names are there again after the worker was ended.
  await say("answer * 100");
  await expect(log).toContainText("4200", { timeout: 60_000 });
});
