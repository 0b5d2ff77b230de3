/**
 * "Did you mean …?": names within two edits of the one that was not found, nearest first, as C++ Nix chooses them.
 */

const maxDistance = 2;
const maxSuggestions = 5;

/** At most five of the candidates, nearest first, then in byte order. */
export function suggest(name: string, candidates: readonly string[]): string[] {
  const near: { candidate: string; distance: number }[] = [];
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > maxDistance) continue;
    const distance = editDistance(name, candidate);
    if (distance <= maxDistance) near.push({ candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, maxSuggestions).map((found) => found.candidate);
}

/** Levenshtein distance: insertions, deletions and substitutions. */
export function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (let i = 1; i <= left.length; i++) {
    const current = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitution = previous[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[right.length]!;
}

/** `Did you mean a?`, `Did you mean one of a, b or c?`, or undefined. */
export function suggestionLine(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  if (names.length === 1) return `Did you mean ${names[0]!}?`;
  return `Did you mean one of ${names.slice(0, -1).join(", ")} or ${names.at(-1)!}?`;
}
