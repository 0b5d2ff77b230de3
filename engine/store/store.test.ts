import { test } from "vitest";
import { storeContract } from "./contract.ts";
import { MemoryBacking } from "./memory-backing.ts";

const cases = storeContract(async () => {
  const backing = new MemoryBacking();
  return { backing, reopen: async () => backing };
});

test.each(cases)("memory: $name", ({ run }) => run());
