/**
 * Hashing and adding as they cost where this runs, Node or a worker of the page: milliseconds, medians. Part of `npm run bench store`.
 */
const RUNS = 7;

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** The median of some runs in milliseconds, after one that warms up. */
export async function time(body, runs = RUNS) {
  const values = [];
  for (let run = -1; run < runs; run++) {
    const started = performance.now();
    await body(run);
    if (run >= 0) values.push(performance.now() - started);
  }
  return median(values);
}

let state = 1;
/** A number below the limit; always the same sequence. */
export function random(limit) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

const noise = (length) => Uint8Array.from({ length }, () => random(256));

/** A package as they come: a few large files and many small ones, 24 MB together. */
function packageTree({ directory, regularFile }) {
  return directory([
    ["large", directory(Array.from({ length: 8 }, (_, index) => [`f${index}`, regularFile(noise(2_500_000))]))],
    ["small", directory(Array.from({ length: 500 }, (_, index) => [`f${index}`, regularFile(noise(8000))]))],
  ]);
}

/** Of one tree and of as many bytes: the platform's own digest, the NAR's hash, adding it, adding it from its NAR. */
export async function measureHashing(engine) {
  const { Store, MemoryBacking, digestNar, encodeNar } = engine;
  const tree = packageTree(engine);
  const nar = encodeNar(tree);
  const open = () => Store.open(new MemoryBacking(), { now: () => 1 });
  const { path, narHash, narSize } = await (await open()).addTree("package", tree);
  const info = { path, narHash, narSize, references: [], signatures: [], ultimate: false };
  return {
    bytes: nar.length,
    platform: await time(() => crypto.subtle.digest("SHA-256", nar)),
    hashing: await time(() => digestNar(tree)),
    adding: await time(async () => (await open()).addTree("package", tree)),
    receiving: await time(async () => (await open()).addNar(info, [nar])),
  };
}
