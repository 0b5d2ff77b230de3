/**
 * OCI image layouts: the closure of a system or program as a container image that `skopeo copy oci:DIR …` and
 * `docker load` take. Reproducible: the same closure gives the same bytes. The paths that most others refer to get layers
 * of their own, so that images share them; the rest is the last layer.
 */
import { encodeUtf8, toBytes } from "./bytes.ts";
import { sha256Hex } from "./hash.ts";
import { type Json, printJson } from "./json.ts";
import type { StorePath } from "./store-path.ts";
import { type TarMember, writeTar } from "./tar.ts";
import { type SourceTree, directory, walkTree } from "./tree.ts";

export interface ImagePath {
  readonly path: StorePath;
  readonly references: readonly StorePath[];
  readonly tree: SourceTree;
}

export interface ImageOptions {
  /** Such as "amd64", "386", "arm64". */
  readonly architecture: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
  /** "name:tag" that tools show. */
  readonly reference?: string;
  /** Layers at most; container engines stop at 127. */
  readonly maxLayers?: number;
}

const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** The files of the layout by name: "oci-layout", "index.json", "blobs/sha256/…". */
export function writeImage(paths: readonly ImagePath[], options: ImageOptions): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const add = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const hash = sha256Hex(bytes);
    files.set(`blobs/sha256/${hash}`, bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  };
  const groups = groupByPopularity(paths, options.maxLayers ?? 100);
  const layers = groups.map((group) => add(LAYER_TYPE, writeTar(layerMembers(group))));
  const config = add(CONFIG_TYPE, jsonBytes(imageConfig(options, layers, groups)));
  const manifest = add(
    MANIFEST_TYPE,
    jsonBytes({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { ...config },
      layers: layers.map((layer) => ({ ...layer })),
    }),
  );
  const annotations: Json = { "org.opencontainers.image.ref.name": options.reference ?? "" };
  const entry: Json = options.reference === undefined ? { ...manifest } : { ...manifest, annotations };
  files.set("index.json", jsonBytes({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [entry] }));
  files.set("oci-layout", jsonBytes({ imageLayoutVersion: "1.0.0" }));
  return files;
}

/** The whole layout as one tar archive, as `docker load` reads it. */
export function imageArchive(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const directories = ["blobs", "blobs/sha256"].map((name): TarMember => ({ name, node: directory([]) }));
  const members = [...files]
    .sort((left, right) => (left[0] < right[0] ? -1 : 1))
    .map(([name, contents]): TarMember => {
      return { name, node: { type: "regular", executable: false, contents } };
    });
  return writeTar([...directories, ...members]);
}

/** The most referred-to paths alone, in byte order of popularity and name; what is left together. */
function groupByPopularity(paths: readonly ImagePath[], maxLayers: number): ImagePath[][] {
  const popularity = countReferrers(paths);
  const ranked = [...paths].sort((left, right) => {
    return (popularity.get(right.path) ?? 0) - (popularity.get(left.path) ?? 0) || (left.path < right.path ? -1 : 1);
  });
  const alone = ranked.slice(0, Math.max(0, maxLayers - 1)).map((item) => [item]);
  const rest = ranked.slice(alone.length).sort((left, right) => (left.path < right.path ? -1 : 1));
  return rest.length === 0 ? alone : [...alone, rest];
}

/** How many paths of the image need each path, directly or not. */
function countReferrers(paths: readonly ImagePath[]): Map<StorePath, number> {
  const byPath = new Map(paths.map((item) => [item.path, item]));
  const counts = new Map<StorePath, number>();
  for (const { path } of paths) {
    const reached = new Set([path]);
    for (const next of reached) for (const reference of byPath.get(next)?.references ?? []) reached.add(reference);
    reached.delete(path);
    for (const other of reached) counts.set(other, (counts.get(other) ?? 0) + 1);
  }
  return counts;
}

function* layerMembers(paths: readonly ImagePath[]): Generator<TarMember> {
  const parents = new Set<string>();
  for (const { path, tree } of paths) {
    for (const parent of parentsOf(path)) {
      if (!parents.has(parent)) yield { name: parent, node: directory([]) };
      parents.add(parent);
    }
    for (const [name, node] of walkTree(tree, path.slice(1))) yield { name, node };
  }
}

function parentsOf(path: StorePath): string[] {
  const names = path.slice(1).split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

function imageConfig(options: ImageOptions, layers: readonly Descriptor[], groups: readonly ImagePath[][]): Json {
  const created = "1970-01-01T00:00:01Z";
  return {
    created,
    architecture: options.architecture,
    os: "linux",
    config: {
      ...(options.entrypoint === undefined ? {} : { Entrypoint: options.entrypoint }),
      ...(options.command === undefined ? {} : { Cmd: options.command }),
      ...(options.env === undefined ? {} : { Env: options.env }),
      ...(options.workingDir === undefined ? {} : { WorkingDir: options.workingDir }),
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    history: groups.map((group) => ({ created, comment: `store paths: ${group.map(({ path }) => path).join(" ")}` })),
  };
}

function jsonBytes(value: Json): Uint8Array {
  return toBytes(encodeUtf8(printJson(value)));
}
