import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { countWords, parseLesson } from "./lesson.ts";

const head = "---\ntitle: T\nsummary: S\nminutes: 3\n---\n";
const check = '## Check\n- It runs: `{"kind": "machine", "phase": "running"}`\n';
const failing = (text: string, message: string) => expect(() => parseLesson(text)).toThrow(message);

describe("parseLesson", () => {
  it("reads a whole step", () => {
    const text = `${head}\n# One\n\nDo **it**.\n\n\`\`\`nix\n# not a step\n\`\`\`\n\n## Predict\nWhat?\n- [ ] a\n- [x] b\n\nBecause.\n\n## Do\nSwitch: \`nixos-rebuild switch\`\n\n${check}\n## Solution\n- \`configuration.nix\` from \`solution/1.nix\`\n\n## On NixOS\n\`\`\`\nok\n\`\`\`\n`;
    expect(parseLesson(text)).toEqual({
      title: "T",
      summary: "S",
      minutes: 3,
      entry: "configuration.nix",
      files: [{ path: "configuration.nix", source: "configuration.nix" }],
      steps: [
        {
          title: "One",
          body: "Do **it**.\n\n```nix\n# not a step\n```",
          prediction: { question: "What?", options: ["a", "b"], answer: 1, because: "Because." },
          action: { label: "Switch", command: "nixos-rebuild switch" },
          checks: [{ label: "It runs", condition: { kind: "machine", phase: "running" } }],
          solution: [{ path: "configuration.nix", source: "solution/1.nix" }],
          nixos: "```\nok\n```",
        },
      ],
    });
  });
  it("fills defaults in", () => {
    const [step] = parseLesson(`${head}# A\n## Check\n- Answers: \`{"kind": "guestAnswers", "port": 80}\`\n`).steps;
    expect(step?.checks[0]?.condition).toEqual({ kind: "guestAnswers", port: 80, path: "/", contains: null });
  });
  it("needs front matter", () => failing("# A\n", "lesson.md:1: front matter"));
  it("needs its fields", () => failing("---\ntitle: T\n---\n# A\n" + check, "lacks `minutes`"));
  it("needs a step", () => failing(head, "at least one step"));
  it("needs a check", () => failing(`${head}# A\ntext\n`, "lesson.md:6: the step `A` has no check"));
  it("knows its parts", () => failing(`${head}# A\n## Chekc\n${check}`, "lesson.md:7: unknown part `Chekc`"));
  it("wants one right answer", () =>
    failing(`${head}# A\n## Predict\nq\n- [x] a\n- [x] b\n\nr\n${check}`, "exactly one option"));
  it("knows its kinds", () =>
    failing(`${head}# A\n## Check\n- x: \`{"kind": "moon"}\`\n`, "lesson.md:8: unknown kind of check `moon`"));
  it("names a missing field", () =>
    failing(`${head}# A\n## Check\n- x: \`{"kind": "guestSilent"}\`\n`, "number `port`"));
  it("names a surplus field", () =>
    failing(`${head}# A\n## Check\n- x: \`{"kind": "guestSilent", "port": 1, "por": 2}\`\n`, "knows no `por`"));
});

describe("countWords", () => {
  it("leaves code blocks out", () => expect(countWords("one two\n```\nthree\n```\n- four, **five**")).toBe(4));
});

describe("the lessons of the project", () => {
  const folder = new URL("../../samples/lessons/", import.meta.url);
  for (const entry of readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory())) {
    it(entry.name, () => {
      const lesson = parseLesson(readFileSync(new URL(`${entry.name}/lesson.md`, folder), "utf8"));
      for (const step of lesson.steps) expect(countWords(step.body), step.title).toBeLessThanOrEqual(120);
      for (const file of [...lesson.files, ...lesson.steps.flatMap((step) => step.solution)]) {
        expect(readFileSync(new URL(`${entry.name}/${file.source}`, folder), "utf8")).not.toBe("");
      }
    });
  }
});
