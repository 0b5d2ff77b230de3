/**
 * Lessons: a folder with `lesson.md` (front matter, then one section a step) read into plain data.
 *
 * The format is described in samples/lessons/README.md. Invariant: a parsed lesson is complete and consistent: every
 * prediction has exactly one right option, every check is one of the vocabulary with all its fields, every step has a check.
 * A lesson that is not is an error in the project (LessonError names the line), never a state of the page.
 */

export interface LessonFile {
  /** Path in the learner's workspace. */
  readonly path: string;
  /** Path in the lesson's folder of the text it gets. */
  readonly source: string;
}

export interface LessonPrediction {
  readonly question: string;
  readonly options: readonly string[];
  /** Index of the right option. */
  readonly answer: number;
  readonly because: string;
}

/** A condition on the real state; the page asks the evaluator, the store, the profile or the machine, never printed text. */
export type LessonCondition =
  /** The attribute path of the evaluated configuration has this value (JSON). */
  | { readonly kind: "evaluates"; readonly attribute: string; readonly equals: unknown }
  /** The system that the files evaluate to is (or is not) valid in the store: it was built. */
  | { readonly kind: "built"; readonly valid: boolean }
  /** The system profile points at this generation. */
  | { readonly kind: "currentGeneration"; readonly number: number }
  /** At least so many generations exist. */
  | { readonly kind: "generations"; readonly atLeast: number }
  /** Two generations are the same store path. */
  | { readonly kind: "sameSystem"; readonly generations: readonly [number, number] }
  /** What runs is the system of the current generation, whole. */
  | { readonly kind: "runningEqualsCurrent" }
  /** What the files evaluate to is what runs. */
  | { readonly kind: "configuredEqualsRunning" }
  /** The machine is in this phase. */
  | { readonly kind: "machine"; readonly phase: "off" | "running" | "cut" }
  /** The guest's web server answers; with `contains`, the body has this text. */
  | { readonly kind: "guestAnswers"; readonly port: number; readonly path: string; readonly contains: string | null }
  /** Nothing answers on the guest's port. */
  | { readonly kind: "guestSilent"; readonly port: number }
  /** The unit is in this state in the guest. */
  | { readonly kind: "unit"; readonly name: string; readonly active: "active" | "inactive" | "failed" }
  /** The command ends with this code in the guest and prints this text. */
  | {
      readonly kind: "guestRuns";
      readonly argv: readonly string[];
      readonly exitCode: number;
      readonly contains: string | null;
    };

export interface LessonCheck {
  readonly label: string;
  readonly condition: LessonCondition;
}

export interface LessonStep {
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly prediction: LessonPrediction | null;
  /** The button to press, or what to do in the editor, and the command that does the same. */
  readonly action: { readonly label: string; readonly command: string } | null;
  readonly checks: readonly LessonCheck[];
  /** Files that solve the step; empty when there is nothing to write. */
  readonly solution: readonly LessonFile[];
  /** What real NixOS prints at this point. */
  readonly nixos: string | null;
}

export interface Lesson {
  readonly title: string;
  readonly summary: string;
  readonly minutes: number;
  readonly entry: string;
  /** What the workspace holds at the start and after a reset. */
  readonly files: readonly LessonFile[];
  readonly steps: readonly LessonStep[];
}

export class LessonError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(`lesson.md:${line}: ${message}`);
    this.name = "LessonError";
    this.line = line;
  }
}

/** A heading and what stands below it, with the line (from 1) each text begins on. */
interface Section {
  readonly title: string;
  readonly line: number;
  readonly text: string;
}

/** @throws LessonError */
export function parseLesson(text: string): Lesson {
  const lines = text.split("\n");
  const { fields, next } = parseFrontMatter(lines);
  const steps = splitSections(lines, next, "# ").map(parseStep);
  if (steps.length === 0) throw new LessonError(next + 1, "a lesson needs at least one step");
  const minutes = Number(requireField(fields, "minutes"));
  if (!Number.isInteger(minutes) || minutes <= 0) throw new LessonError(1, "minutes must be a positive whole number");
  const entry = fields.get("entry") ?? "configuration.nix";
  const files = (fields.get("files") ?? entry).split(/\s+/).map((path) => ({ path, source: path }));
  return {
    title: requireField(fields, "title"),
    summary: requireField(fields, "summary"),
    minutes,
    entry,
    files,
    steps,
  };
}

/** Words a learner reads in a step's body: code blocks do not count. */
export function countWords(markdown: string): number {
  const prose = markdown.replaceAll(/```[^]*?```/g, " ");
  return prose.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

function parseFrontMatter(lines: readonly string[]): { fields: Map<string, string>; next: number } {
  if (lines[0] !== "---") throw new LessonError(1, "front matter between two lines `---` is missing");
  const end = lines.indexOf("---", 1);
  if (end < 0) throw new LessonError(1, "the front matter has no end");
  const fields = new Map<string, string>();
  for (let at = 1; at < end; at++) {
    const field = /^([a-z]+): *(.*\S)\s*$/.exec(lines[at] ?? "");
    if (field === null) throw new LessonError(at + 1, "a line of the front matter is `name: value`");
    fields.set(field[1] ?? "", field[2] ?? "");
  }
  return { fields, next: end + 1 };
}

function requireField(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined) throw new LessonError(1, `the front matter lacks \`${name}\``);
  return value;
}

/** Cuts at lines that begin with `mark`, outside code blocks. What stands before the first is dropped. */
function splitSections(lines: readonly string[], from: number, mark: string): Section[] {
  const starts: number[] = [];
  let fenced = false;
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.startsWith("```")) fenced = !fenced;
    else if (!fenced && line.startsWith(mark)) starts.push(at);
  }
  return starts.map((start, index) => ({
    title: (lines[start] ?? "").slice(mark.length).trim(),
    line: start + 1,
    text: lines.slice(start + 1, starts[index + 1] ?? lines.length).join("\n"),
  }));
}

function parseStep(section: Section): LessonStep {
  const lines = section.text.split("\n");
  const parts = splitSections(lines, 0, "## ").map((part) => ({ ...part, line: part.line + section.line }));
  const known = ["Predict", "Do", "Check", "Solution", "On NixOS"];
  for (const part of parts) {
    if (!known.includes(part.title)) throw new LessonError(part.line, `unknown part \`${part.title}\``);
  }
  const part = (title: string): Section | undefined => parts.find((each) => each.title === title);
  const predict = part("Predict");
  const action = part("Do");
  const check = part("Check");
  const solution = part("Solution");
  if (check === undefined) throw new LessonError(section.line, `the step \`${section.title}\` has no check`);
  return {
    title: section.title,
    body: textBefore(lines),
    prediction: predict === undefined ? null : parsePrediction(predict),
    action: action === undefined ? null : parseAction(action),
    checks: listItems(check).map(parseCheck),
    solution: solution === undefined ? [] : listItems(solution).map(parseFile),
    nixos: part("On NixOS")?.text.trim() ?? null,
  };
}

/** What stands before the first part. */
function textBefore(lines: readonly string[]): string {
  let fenced = false;
  for (const [at, line] of lines.entries()) {
    if (line.startsWith("```")) fenced = !fenced;
    else if (!fenced && line.startsWith("## ")) return lines.slice(0, at).join("\n").trim();
  }
  return lines.join("\n").trim();
}

function listItems(section: Section): { line: number; text: string }[] {
  const items = section.text
    .split("\n")
    .map((line, at) => ({ line: section.line + at + 1, text: line }))
    .filter(({ text }) => text.startsWith("- "))
    .map(({ line, text }) => ({ line, text: text.slice(2).trim() }));
  if (items.length === 0) throw new LessonError(section.line, `\`${section.title}\` needs a list`);
  return items;
}

function parsePrediction(section: Section): LessonPrediction {
  const lines = section.text.split("\n");
  const items = listItems(section).map(({ line, text }) => {
    const option = /^\[([ x])\] (.+)$/.exec(text);
    if (option === null) throw new LessonError(line, "an option is `- [ ] text`, the right one `- [x] text`");
    return { right: option[1] === "x", text: option[2] ?? "" };
  });
  const answer = items.findIndex((item) => item.right);
  if (items.filter((item) => item.right).length !== 1) {
    throw new LessonError(section.line, "exactly one option of a prediction is right");
  }
  const first = lines.findIndex((line) => line.startsWith("- "));
  const last = lines.findLastIndex((line) => line.startsWith("- "));
  const question = lines.slice(0, first).join("\n").trim();
  const because = lines
    .slice(last + 1)
    .join("\n")
    .trim();
  if (question === "" || because === "") {
    throw new LessonError(section.line, "a prediction has a question before and a reason after its options");
  }
  return { question, options: items.map((item) => item.text), answer, because };
}

function parseAction(section: Section): LessonStep["action"] {
  const action = /^(.+?): `([^`]+)`$/.exec(section.text.trim());
  if (action === null)
    throw new LessonError(section.line, "`Do` is one line: what to press, and the command in backticks");
  return { label: action[1] ?? "", command: action[2] ?? "" };
}

function parseFile(item: { line: number; text: string }): LessonFile {
  const file = /^`([^`]+)` from `([^`]+)`$/.exec(item.text);
  if (file === null) throw new LessonError(item.line, "a file of a solution is `` `path` from `file of the lesson` ``");
  return { path: file[1] ?? "", source: file[2] ?? "" };
}

function parseCheck(item: { line: number; text: string }): LessonCheck {
  const check = /^(.+?): `(\{.*\})`$/.exec(item.text);
  if (check === null) throw new LessonError(item.line, "a check is a label and a condition as JSON in backticks");
  let condition: unknown;
  try {
    condition = JSON.parse(check[2] ?? "");
  } catch {
    throw new LessonError(item.line, "the condition is not JSON");
  }
  return { label: check[1] ?? "", condition: readCondition(condition as Record<string, unknown>, item.line) };
}

/** A condition with its defaults filled in; unknown kinds and missing or surplus fields are errors. */
function readCondition(given: Record<string, unknown>, line: number): LessonCondition {
  const { kind, ...rest } = given;
  const read = fieldReader(rest, line);
  const condition = conditionOf(String(kind), read);
  if (condition === undefined) throw new LessonError(line, `unknown kind of check \`${String(kind)}\``);
  read.finish();
  return condition;
}

interface FieldReader {
  text(name: string): string;
  textOr(name: string, otherwise: string | null): string | null;
  number(name: string, otherwise?: number): number;
  value(name: string): unknown;
  finish(): void;
}

function fieldReader(fields: Record<string, unknown>, line: number): FieldReader {
  const left = new Map(Object.entries(fields));
  const take = (name: string): unknown => {
    const value = left.get(name);
    left.delete(name);
    return value;
  };
  return {
    text(name) {
      const value = take(name);
      if (typeof value !== "string") throw new LessonError(line, `the check needs the text \`${name}\``);
      return value;
    },
    textOr(name, otherwise) {
      return left.has(name) ? this.text(name) : otherwise;
    },
    number(name, otherwise) {
      const value = take(name) ?? otherwise;
      if (typeof value !== "number") throw new LessonError(line, `the check needs the number \`${name}\``);
      return value;
    },
    value(name) {
      if (!left.has(name)) throw new LessonError(line, `the check needs \`${name}\``);
      return take(name);
    },
    finish() {
      for (const name of left.keys()) throw new LessonError(line, `the check knows no \`${name}\``);
    },
  };
}

function conditionOf(kind: string, read: FieldReader): LessonCondition | undefined {
  switch (kind) {
    case "evaluates":
      return { kind, attribute: read.text("attribute"), equals: read.value("equals") };
    case "built":
      return { kind, valid: (read.value("valid") as boolean) === true };
    case "currentGeneration":
      return { kind, number: read.number("number") };
    case "generations":
      return { kind, atLeast: read.number("atLeast") };
    case "sameSystem": {
      const [first = 0, second = 0] = read.value("generations") as number[];
      return { kind, generations: [first, second] };
    }
    case "runningEqualsCurrent":
    case "configuredEqualsRunning":
      return { kind };
    case "machine":
      return { kind, phase: read.text("phase") as "off" | "running" | "cut" };
    case "guestAnswers":
      return {
        kind,
        port: read.number("port"),
        path: read.textOr("path", "/") ?? "/",
        contains: read.textOr("contains", null),
      };
    case "guestSilent":
      return { kind, port: read.number("port") };
    case "unit":
      return { kind, name: read.text("name"), active: read.text("active") as "active" | "inactive" | "failed" };
    case "guestRuns":
      return {
        kind,
        argv: read.value("argv") as string[],
        exitCode: read.number("exitCode", 0),
        contains: read.textOr("contains", null),
      };
    default:
      return undefined;
  }
}
