/** Where the boxes of a graph stand, and which of a large closure to draw. */
import { graphlib, layout } from "@dagrejs/dagre";
import type { ClosurePath } from "#web/state/model.ts";

const box = { width: 178, height: 46 };

/** The paths nearest to one, along references both ways, at most `most`. */
export function nearby(paths: ClosurePath[], from: string, most: number): ClosurePath[] {
  if (paths.length <= most) return paths;
  const byPath = new Map(paths.map((each) => [each.path, each]));
  const found = new Set([from]);
  for (const path of found) {
    const here = byPath.get(path);
    for (const next of [...(here?.references ?? []), ...(here?.referrers ?? [])])
      if (found.size < most && byPath.has(next)) found.add(next);
  }
  return paths.filter((each) => found.has(each.path));
}

/** Layers from the top: what refers stands above what it refers to. */
export function layOut(paths: ClosurePath[]): Map<string, { x: number; y: number }> {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 18, ranksep: 46 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(paths.map((each) => each.path));
  for (const { path } of paths) graph.setNode(path, { ...box });
  for (const { path, references } of paths)
    for (const to of references) if (to !== path && known.has(to)) graph.setEdge(path, to);
  layout(graph);
  return new Map(paths.map(({ path }) => [path, corner(graph.node(path))]));
}

const corner = ({ x, y }: { x: number; y: number }): { x: number; y: number } => ({
  x: x - box.width / 2,
  y: y - box.height / 2,
});
