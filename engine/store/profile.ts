/**
 * Profiles: numbered generations and which of them is current, with `nix-env -p`'s rules. Pure functions from profile
 * to profile. Invariant: generations are in ascending order of number; a whole profile is one value in the backing, so
 * the current generation is the old or the new one, never between. Labels, notes and pins are Terrarium's own and
 * enter no hash.
 */
import type { StorePath } from "./format/store-path.ts";
import { StoreError } from "./error.ts";

export interface Generation {
  readonly number: number;
  readonly path: StorePath;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly label?: string;
  readonly note?: string;
  /** A pinned generation is not deleted by "old", "+N" and "Nd". */
  readonly pinned?: boolean;
}

export interface Profile {
  readonly name: string;
  /** Undefined only while there is no generation at all. */
  readonly current: number | undefined;
  readonly generations: readonly Generation[];
}

/** Where Nix has its profiles. */
const PROFILES_DIR = "/nix/var/nix/profiles";

/** The main link of a profile: a name without slashes lies in Nix's own directory. */
export function profilePath(name: string): string {
  return name.startsWith("/") ? name : `${PROFILES_DIR}/${name}`;
}

/** The other way round: the name under which the store keeps the profile whose main link this is. */
export function profileName(path: string): string {
  const prefix = `${PROFILES_DIR}/`;
  return path.startsWith(prefix) && !path.slice(prefix.length).includes("/") ? path.slice(prefix.length) : path;
}

export function emptyProfile(name: string): Profile {
  return { name, current: undefined, generations: [] };
}

function generation(profile: Profile, number: number): Generation | undefined {
  return profile.generations.find((candidate) => candidate.number === number);
}

export function currentGeneration(profile: Profile): Generation | undefined {
  return profile.current === undefined ? undefined : generation(profile, profile.current);
}

/** The store path a profile's main link leads to. */
export function currentPath(profile: Profile): StorePath | undefined {
  return currentGeneration(profile)?.path;
}

/** The number of a new generation: highest + 1, or the highest itself when it has the same path already. */
export function nextNumber(profile: Profile, path: StorePath): number {
  const last = profile.generations.at(-1);
  if (last === undefined) return 1;
  return last.path === path ? last.number : last.number + 1;
}

/** Makes a generation of a path (none if the highest is it already) and switches to it. */
export function setPath(profile: Profile, path: StorePath, created: number, label?: string): Profile {
  const number = nextNumber(profile, path);
  if (generation(profile, number) !== undefined) return { ...profile, current: number };
  const made: Generation = label === undefined ? { number, path, created } : { number, path, created, label };
  return { ...profile, current: number, generations: [...profile.generations, made] };
}

/** @throws StoreError "missing", in Nix's words */
export function switchGeneration(profile: Profile, number: number): Profile {
  if (generation(profile, number) === undefined) {
    throw new StoreError("missing", `profile version ${number} does not exist`, { number });
  }
  return { ...profile, current: number };
}

/**
 * The next lower generation that exists.
 * @throws StoreError "missing", in Nix's words
 */
export function previousGeneration(profile: Profile): Generation {
  const current = profile.current ?? 0;
  const older = profile.generations.filter((candidate) => candidate.number < current).at(-1);
  if (older !== undefined) return older;
  throw new StoreError("missing", `no profile version older than the current (${current}) exists`, { current });
}

export function rollback(profile: Profile): Profile {
  return { ...profile, current: previousGeneration(profile).number };
}

/** Changes what Terrarium remembers beside a generation. An empty text takes a label or a note away. */
export function annotate(
  profile: Profile,
  number: number,
  marks: { readonly label?: string; readonly note?: string; readonly pinned?: boolean },
): Profile {
  const generations = profile.generations.map((candidate) => {
    return candidate.number === number ? withMarks(candidate, marks) : candidate;
  });
  return { ...switchGeneration(profile, number), current: profile.current, generations };
}

function withMarks(
  { number, path, created, ...old }: Generation,
  marks: { readonly label?: string; readonly note?: string; readonly pinned?: boolean },
): Generation {
  const { label, note, pinned } = { ...old, ...marks };
  return {
    number,
    path,
    created,
    ...(label === undefined || label === "" ? {} : { label }),
    ...(note === undefined || note === "" ? {} : { note }),
    ...(pinned === true ? { pinned } : {}),
  };
}

/**
 * Which generations `nix-env --delete-generations ARGS` deletes, in the order in which Nix goes through them: `old`, `+N`
 * (keeps the current, the N - 1 before it, and newer ones), `Nd` (keeps the one active N days ago), or numbers.
 * @throws StoreError "usage"
 */
export function generationsToDelete(profile: Profile, args: readonly string[], now: number): number[] {
  const [only] = args;
  if (args.length === 1 && only !== undefined) {
    if (only === "old") return unpinned(profile, () => true).reverse();
    if (only.endsWith("d")) return olderThan(profile, parseAge(only, now));
    if (only.startsWith("+")) return beyondNewest(profile, parseCount(only));
  }
  return listed(profile, args.map(parseNumber));
}

/** The deletions of `old`, `+N`, `Nd` leave the current and the pinned generations alone. */
function unpinned(profile: Profile, pick: (generation: Generation) => boolean): number[] {
  const deletable = profile.generations.filter(
    (candidate) => candidate.number !== profile.current && candidate.pinned !== true && pick(candidate),
  );
  return deletable.map((candidate) => candidate.number).reverse();
}

function olderThan(profile: Profile, time: number): number[] {
  const activeThen = profile.generations.filter((candidate) => candidate.created < time).at(-1);
  if (activeThen === undefined) return [];
  return unpinned(profile, (candidate) => candidate.number < activeThen.number);
}

function beyondNewest(profile: Profile, keep: number): number[] {
  const current = profile.current ?? 0;
  const upToCurrent = profile.generations.filter((candidate) => candidate.number <= current);
  const kept = new Set(upToCurrent.slice(-keep).map((candidate) => candidate.number));
  return unpinned(profile, (candidate) => candidate.number < current && !kept.has(candidate.number));
}

function listed(profile: Profile, numbers: readonly number[]): number[] {
  if (profile.current !== undefined && numbers.includes(profile.current)) {
    const message = `cannot delete current version of profile "${profilePath(profile.name)}"`;
    throw new StoreError("alive", message, { current: profile.current });
  }
  return profile.generations.map(({ number }) => number).filter((number) => numbers.includes(number));
}

export function deleteGenerations(profile: Profile, numbers: readonly number[]): Profile {
  const gone = new Set(numbers);
  return { ...profile, generations: profile.generations.filter(({ number }) => !gone.has(number)) };
}

/** "30d" as the time that many days before now. */
function parseAge(text: string, now: number): number {
  const match = /^([0-9]+)d$/.exec(text);
  if (match === null) throw new StoreError("usage", `invalid number of days specifier '${text}'`);
  const days = Number(match[1]);
  if (days < 1) throw new StoreError("usage", `invalid number of days specifier '${text}'`);
  return now - days * 86_400;
}

function parseCount(text: string): number {
  const match = /^\+([0-9]+)$/.exec(text);
  if (match === null) throw new StoreError("usage", `invalid number of generations specifier '${text}'`);
  const count = Number(match[1]);
  if (count === 0) {
    throw new StoreError("alive", "Must keep at least one generation, otherwise the current one would be deleted");
  }
  return count;
}

function parseNumber(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new StoreError("usage", `invalid generation number '${text}'`);
  return Number(text);
}
