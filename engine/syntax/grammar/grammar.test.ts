import { expect, it } from "vitest";
import { tablesModule } from "./encode.ts";

it("the parse tables are those of the grammar", async () => {
  await expect(tablesModule()).toMatchFileSnapshot("../tables.ts");
});
