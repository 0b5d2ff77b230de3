/** Lessons: their folders read from the samples, progress kept, and checks asked of the real state, never of printed text. */
import type { LessonCondition, Teaching } from "#workers/client.ts";
import type { Actions, Lesson, LessonCheck, WorkFile } from "../model.ts";
import { type Context, filesOf, messageOf } from "./context.ts";
import type { EvaluationService } from "./evaluation.ts";
import type { MachineService } from "./machining.ts";
import type { WorkspaceService } from "./workspaces.ts";

export type LessonActions = Pick<
  Actions,
  "startLesson" | "resetLesson" | "leaveLesson" | "predict" | "checkStep" | "applySolution"
>;

interface Dependencies {
  readonly evaluation: EvaluationService;
  readonly workspaces: WorkspaceService;
  readonly machining: () => MachineService;
  /** Opens a workspace with its own machine. */
  readonly enter: (record: Parameters<WorkspaceService["open"]>[0]) => Promise<void>;
}

const PROGRESS = "lesson/";

interface Progress {
  at: number;
  predicted: (number | null)[];
  workspace: string | null;
}

interface Material {
  readonly id: string;
  readonly lesson: ReturnType<Teaching["parseLesson"]>;
  text(source: string): string;
}

/** The lessons among the samples, in the order of their folders. */
function readLessons({ files: samples, parseLesson }: Teaching): Material[] {
  const texts = new Map(samples.map(([path, , content]) => [path, content]));
  return samples.flatMap(([path, , content]) => {
    const id = /^lessons\/([^/]+)\/lesson\.md$/.exec(path)?.[1];
    if (id === undefined) return [];
    return [{ id, lesson: parseLesson(content), text: (source: string) => texts.get(`lessons/${id}/${source}`) ?? "" }];
  });
}

export interface LessonService extends LessonActions {
  load(): Promise<void>;
}

export function createLessons(context: Context, teaching: Teaching, dependencies: Dependencies): LessonService {
  const { page, store } = context;
  const materials = readLessons(teaching);
  const find = (id: string) => materials.find((material) => material.id === id);
  const filesFor = ({ lesson, text }: Material): WorkFile[] =>
    lesson.files.map(({ path, source }) => ({ path, text: text(source) }));

  const update = (id: string, change: (lesson: Lesson) => Lesson) =>
    page.setState((state) => ({
      lessons: state.lessons.map((lesson) => (lesson.id === id ? change(lesson) : lesson)),
    }));

  const progressOf = async (id: string): Promise<Progress | undefined> => {
    const records = await store.api.records(PROGRESS + id);
    return records.find(([key]) => key === PROGRESS + id)?.[1] as Progress | undefined;
  };

  const keep = async (id: string, workspace?: string | null) => {
    const lesson = page.getState().lessons.find((one) => one.id === id);
    if (lesson === undefined) return;
    const known = workspace === undefined ? ((await progressOf(id))?.workspace ?? null) : workspace;
    const progress: Progress = { at: lesson.at, predicted: lesson.predicted, workspace: known };
    await store.api.putRecord(PROGRESS + id, progress).catch(() => undefined);
  };

  /** One lesson is open, or none. */
  const show = (open: string | null) =>
    page.setState((state) => ({ lessons: state.lessons.map((one) => ({ ...one, started: one.id === open })) }));

  const begin = async (material: Material) => {
    const { lesson, id } = material;
    const record = await dependencies.workspaces.create(lesson.title, filesFor(material), lesson.entry, {
      origin: `lesson:${id}`,
    });
    await dependencies.enter(record);
    update(id, () => fresh(material));
    show(id);
    await keep(id, record.id);
  };

  return {
    async load() {
      const lessons = await Promise.all(
        materials.map(async (material): Promise<Lesson> => {
          const progress = await progressOf(material.id);
          const start = fresh(material);
          if (progress === undefined) return start;
          return {
            ...start,
            at: Math.min(progress.at, start.steps.length),
            predicted: progress.predicted,
            started: progress.workspace === page.getState().workspace.id,
          };
        }),
      );
      page.setState({ lessons });
    },
    async startLesson(id) {
      const material = find(id);
      if (material === undefined) return;
      const workspace = (await progressOf(id))?.workspace;
      const record = (await dependencies.workspaces.list()).find((candidate) => candidate.id === workspace);
      if (record === undefined) return begin(material);
      if (page.getState().workspace.id !== record.id) await dependencies.enter(record);
      show(id);
    },
    async resetLesson(id) {
      const material = find(id);
      if (material === undefined) return;
      const old = (await progressOf(id))?.workspace;
      await begin(material);
      if (old) await dependencies.workspaces.remove(old);
    },
    async leaveLesson() {
      const own = (await dependencies.workspaces.list()).find(
        ({ origin, kind }) => kind === "own" && !origin?.startsWith("lesson:"),
      );
      if (own !== undefined) await dependencies.enter(own);
      show(null);
    },
    async predict(id, step, option) {
      update(id, (lesson) => ({ ...lesson, predicted: lesson.predicted.with(step, option) }));
      await keep(id);
    },
    async checkStep(id, step) {
      const material = find(id);
      const checks = material?.lesson.steps[step]?.checks;
      if (checks === undefined) return;
      const mark = (index: number, change: Partial<LessonCheck>) =>
        update(id, (lesson) => ({
          ...lesson,
          steps: lesson.steps.map((one, at) =>
            at === step
              ? { ...one, checks: one.checks.map((check, n) => (n === index ? { ...check, ...change } : check)) }
              : one,
          ),
        }));
      let passed = true;
      for (const [index, { condition }] of checks.entries()) {
        mark(index, { state: "checking", detail: null });
        const failure = await holds(context, dependencies, condition).catch((error: unknown) => messageOf(error));
        passed &&= failure === null;
        mark(index, { state: failure === null ? "passed" : "failed", detail: failure });
      }
      if (passed) update(id, (lesson) => ({ ...lesson, at: Math.max(lesson.at, step + 1) }));
      await keep(id);
    },
    async applySolution(id, step) {
      const material = find(id);
      const solution = material?.lesson.steps[step]?.solution ?? [];
      if (material === undefined || solution.length === 0) return;
      const added = solution.map(({ path, source }) => ({ path, text: material.text(source) }));
      const names = new Set(added.map(({ path }) => path));
      dependencies.workspaces.edit((workspace) => ({
        ...workspace,
        files: [...workspace.files.filter(({ path }) => !names.has(path)), ...added],
      }));
    },
  };
}

function fresh({ id, lesson, text }: Material): Lesson {
  return {
    id,
    title: lesson.title,
    summary: lesson.summary,
    minutes: lesson.minutes,
    at: 0,
    predicted: lesson.steps.map(() => null),
    started: false,
    steps: lesson.steps.map((step) => ({
      title: step.title,
      body: step.body,
      prediction: step.prediction === null ? null : { ...step.prediction, options: [...step.prediction.options] },
      action: step.action,
      solution:
        step.solution.length === 0 ? null : step.solution.map(({ path, source }) => ({ path, text: text(source) })),
      nixos: step.nixos,
      checks: step.checks.map(({ label }) => ({ label, state: "unknown", detail: null })),
    })),
  };
}

/** Null when the condition holds, else what is the case instead. */
async function holds(
  { page, store, evaluator }: Context,
  { evaluation, machining }: Dependencies,
  condition: LessonCondition,
): Promise<string | null> {
  const say = (holding: boolean, otherwise: string) => (holding ? null : otherwise);
  const profile = () => store.api.profile();
  const { machine, workspace } = page.getState();
  switch (condition.kind) {
    case "evaluates": {
      const text = `(import <nixpkgs/nixos> { configuration = ./. + ${JSON.stringify(`/${workspace.entry}`)}; }).${condition.attribute}`;
      const outcome = await evaluator.run(
        ["nix-instantiate", "--eval", "--strict", "--json", "-E", text],
        filesOf(workspace),
        30,
      );
      if (outcome.exitCode !== 0) return outcome.stderr.trim().split("\n").at(-1) ?? "It does not evaluate.";
      return say(equal(JSON.parse(outcome.stdout), condition.equals), `It is ${outcome.stdout.trim()}.`);
    }
    case "built": {
      const outcome = await evaluation.settled();
      if (!outcome?.ok) return "The configuration does not evaluate.";
      const valid = (await store.api.valid([outcome.outPath])).length > 0;
      return say(valid === condition.valid, valid ? "It is in the store." : "It is not in the store yet.");
    }
    case "currentGeneration": {
      const { current } = await profile();
      return say(current === condition.number, `The current generation is ${current ?? "none"}.`);
    }
    case "generations": {
      const { length } = (await profile()).generations;
      return say(length >= condition.atLeast, `There are ${length} generations.`);
    }
    case "sameSystem": {
      const [first, second] = condition.generations;
      const { generations } = await profile();
      const path = (number: number) => generations.find((generation) => generation.number === number)?.path;
      return say(path(first) !== undefined && path(first) === path(second), "Their store paths differ.");
    }
    case "runningEqualsCurrent": {
      const { current, generations } = await profile();
      const path = generations.find(({ number }) => number === current)?.path;
      return say(
        machine.phase === "running" && machine.topLevel === path,
        "The machine runs something else, or nothing.",
      );
    }
    case "configuredEqualsRunning": {
      const outcome = await evaluation.settled();
      const same = outcome?.ok === true && machine.phase === "running" && machine.topLevel === outcome.outPath;
      return say(same, "The machine does not run what the file says.");
    }
    case "machine":
      return say(machine.phase === condition.phase, `The machine is ${machine.phase}.`);
    case "guestAnswers": {
      const answer = await machining().fetchGuest(condition.path);
      if (answer === null) return `Nothing answers on port ${condition.port}.`;
      const text = new TextDecoder().decode(answer.body);
      return say(
        condition.contains === null || text.includes(condition.contains),
        `The page does not say “${condition.contains}”.`,
      );
    }
    case "guestSilent":
      return say((await machining().fetchGuest("/")) === null, `Something answers on port ${condition.port}.`);
    case "unit": {
      const unit = machine.units.find(({ name }) => name === condition.name);
      return say(
        (unit?.active ?? "inactive") === condition.active,
        `${condition.name} is ${unit?.active ?? "inactive"}.`,
      );
    }
    case "guestRuns": {
      const api = machining().api();
      if (api === null) return "The machine is not running.";
      const { code, stdout } = await api.exec({ argv: [...condition.argv] });
      const text = new TextDecoder().decode(stdout);
      if (code !== condition.exitCode) return `It ended with exit code ${code}.`;
      return say(
        condition.contains === null || text.includes(condition.contains),
        `It printed: ${text.trim().slice(0, 200)}`,
      );
    }
  }
}

/** Equality of JSON values, whatever the order of keys. */
function equal(left: unknown, right: unknown): boolean {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return left === right;
  const keys = Object.keys(left);
  return (
    Array.isArray(left) === Array.isArray(right) &&
    keys.length === Object.keys(right).length &&
    keys.every((key) => equal((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]))
  );
}
