/** The closure as a graph, what refers above what is referred to. Large closures show only the paths near the chosen one. */
import { Background, Controls, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { isDark } from "#web/state/appearance.ts";
import { formatBytes } from "#web/state/format.ts";
import type { ClosurePath } from "#web/state/model.ts";
import type { ClosureViewProps } from "./closure.tsx";
import { layOut, nearby } from "./graph-layout.ts";

type PathNode = Node<{ path: ClosurePath; chosen: boolean }, "path">;

const nodeTypes = { path: PathBox };
const most = 120;

export default function ClosureGraph({ paths, root, chosen, choose }: ClosureViewProps) {
  const shown = nearby(paths, chosen ?? root, most);
  const places = layOut(shown);
  const nodes = shown.map((path): PathNode => {
    const place = places.get(path.path) ?? { x: 0, y: 0 };
    return { id: path.path, type: "path", position: place, data: { path, chosen: path.path === chosen } };
  });
  const known = new Set(shown.map((path) => path.path));
  const edges = shown.flatMap((path) =>
    path.references
      .filter((to) => to !== path.path && known.has(to))
      .map((to): Edge => {
        const touched = chosen !== null && (path.path === chosen || to === chosen);
        return { id: `${path.path} ${to}`, source: path.path, target: to, className: touched ? "edge-chosen" : "" };
      }),
  );
  return (
    <div className="graph">
      {shown.length < paths.length && (
        <p className="graph-note">
          {shown.length} of {paths.length} paths: those nearest to the chosen one
        </p>
      )}
      <ReactFlow
        key={shown.length}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        colorMode={isDark() ? "dark" : "light"}
        onNodeClick={(_, node) => choose(node.id)}
        nodesDraggable={false}
        nodesConnectable={false}
        fitView
        minZoom={0.1}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={22} size={1} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

function PathBox({ data }: NodeProps<PathNode>) {
  return (
    <div className={`graph-node ${data.chosen ? "graph-chosen" : ""}`} data-tip={data.path.path} data-tip-code="">
      <Handle type="target" position={Position.Top} />
      <span className="truncate">{data.path.name}</span>
      <span className="muted numeric">{formatBytes(data.path.narSize)}</span>
      <Handle type="source" position={Position.Bottom} />
    </div>
  );
}
