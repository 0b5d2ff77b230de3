/** The closure by size: each path an area. Names inside where they fit, in the tip where they do not. */
import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from "d3-hierarchy";
import { useLayoutEffect, useRef, useState } from "react";
import { formatBytes } from "#web/state/format.ts";
import type { ClosurePath } from "#web/state/model.ts";
import type { ClosureViewProps } from "./closure.tsx";

type Node = { path: ClosurePath | null; children?: Node[] };

export function Treemap({ paths, chosen, choose }: ClosureViewProps) {
  const place = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const cells = size.width > 0 ? areas(paths, size.width, size.height) : [];
  const biggest = Math.max(1, ...paths.map((each) => each.narSize));
  return (
    <div ref={place} className="treemap">
      {cells.map((cell) => {
        const path = cell.data.path;
        return (
          path && <Area key={path.path} cell={cell} path={path} biggest={biggest} chosen={chosen} choose={choose} />
        );
      })}
    </div>
  );
}

interface AreaProps {
  cell: HierarchyRectangularNode<Node>;
  path: ClosurePath;
  biggest: number;
  chosen: string | null;
  choose(path: string): void;
}

function Area({ cell, path, biggest, chosen, choose }: AreaProps) {
  const width = cell.x1 - cell.x0;
  const height = cell.y1 - cell.y0;
  const strength = 10 + 40 * Math.sqrt(path.narSize / biggest);
  return (
    <button
      type="button"
      className="area"
      aria-pressed={chosen === path.path}
      aria-label={`${path.name}, ${formatBytes(path.narSize)}`}
      data-tip={`${path.name}, ${formatBytes(path.narSize)}`}
      style={{
        left: cell.x0,
        top: cell.y0,
        width,
        height,
        background: `color-mix(in oklab, var(--accent) ${strength}%, var(--surface))`,
      }}
      onClick={() => choose(path.path)}
    >
      {width > 70 && height > 34 && (
        <>
          <span className="truncate">{path.name}</span>
          <span className="numeric">{formatBytes(path.narSize)}</span>
        </>
      )}
    </button>
  );
}

/** Squares as far as they can be; nothing smaller than a finger's worth of the whole would be seen, so small ones get a floor. */
function areas(paths: ClosurePath[], width: number, height: number): HierarchyRectangularNode<Node>[] {
  const total = paths.reduce((sum, each) => sum + each.narSize, 0);
  const floor = total / 400;
  const root = hierarchy<Node>({ path: null, children: paths.map((path) => ({ path })) })
    .sum((node) => (node.path ? Math.max(floor, node.path.narSize) : 0))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  return treemap<Node>().size([width, height]).tile(treemapSquarify).padding(2).round(true)(root).leaves();
}
