import { expect, test, type Terrarium } from "./support.ts";

/** What `nix-instantiate --eval` prints in the page, with its exit code. */
async function evaluates(terrarium: Terrarium, expression: string): Promise<{ code: number; text: string }> {
  const code = await terrarium.command(`nix-instantiate --eval --strict -E '${expression}'`);
  const entries = await terrarium.state<{ output: { text: string }[] }[]>("console");
  return { code, text: (entries.at(-1)?.output ?? []).map(({ text }) => text).join("") };
}

/** What C++ Nix 2.34 answers: depth is limited by its own count of calls, never by the browser's stack. */
const cases = [
  ["calls as deep as Nix allows", "let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 9999", 0, "9999\n"],
  [
    "one call more",
    "let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 10000",
    1,
    "error: stack overflow; max-call-depth exceeded",
  ],
  [
    "the same through lists",
    "let s = builtins.genList (n: if n == 0 then 0 else 1 + builtins.elemAt s (n - 1)) 9000; in builtins.elemAt s 4000",
    0,
    "4000\n",
  ],
  [
    "a long chain of values that nobody asked for yet",
    "let go = acc: n: if n == 0 then acc else go (acc + 1) (n - 1); in go 0 9000",
    0,
    "9000\n",
  ],
  [
    "a fold over a hundred thousand",
    "builtins.foldl'\"'\"' (a: b: a + b) 0 (builtins.genList (n: n) 100000)",
    0,
    "4999950000\n",
  ],
  [
    "a chain of a hundred thousand thunks",
    "(builtins.elemAt (builtins.genericClosure { startSet = [ { key = 0; v = 0; } ]; operator = x: if x.key == 100000 then [ ] else [ { key = x.key + 1; v = x.v + 1; } ]; }) 100000).v",
    0,
    "100000\n",
  ],
  ["a value that is its own", "let x = x; in x", 1, "infinite recursion encountered"],
] as const;

test("deep recursion in the page's own worker", async ({ terrarium }) => {
  await terrarium.open();
  for (const [name, expression, code, text] of cases) {
    await test.step(name, async () => {
      const found = await evaluates(terrarium, expression);
      expect(found.text).toContain(text);
      expect(found.code).toBe(code);
    });
  }
  await test.step("and the page still answers", async () => {
    expect((await evaluates(terrarium, "1 + 1")).text).toBe("2\n");
  });
});
