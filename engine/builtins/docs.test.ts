import { expect, it } from "vitest";
import { builtinTable } from "./table.ts";

/** `npx vitest run engine/builtins/docs -u` writes docs/builtins.md anew. */
it("docs/builtins.md is the table", async () => {
  const rows = builtinTable
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map((record) => {
      const args = "args" in record ? record.args.map(({ name }) => `*${name}*`).join(" ") : "";
      const status = record.feature === undefined ? "always" : `with \`${record.feature}\``;
      const doc = record.doc.replaceAll(/\s*\n\s*/g, " ").replaceAll("|", "\\|");
      return `| \`${record.name}\` ${args} | ${status} | ${doc} |`;
    });
  const text = `# Builtins\n\nGenerated from engine/builtins/table.ts: ${rows.length} members of \`builtins\`.\n\n| name and arguments | available | what it does |\n|---|---|---|\n${rows.join("\n")}\n`;
  await expect(text).toMatchFileSnapshot("../../docs/builtins.md");
});
