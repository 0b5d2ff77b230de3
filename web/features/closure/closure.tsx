/** Everything a system is made of, four ways: a list, areas by size, a graph, and why one path needs another. */
import { lazy, Suspense, useEffect, useState } from "react";
import { formatBytes, plural } from "#web/state/format.ts";
import { useAppState, usePage } from "#web/state/context.ts";
import type { ClosurePath } from "#web/state/model.ts";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Empty, Progress, Segments } from "#web/ui/parts.tsx";
import { ClosureList } from "./closure-list.tsx";
import { PathCard } from "./path-card.tsx";
import { Treemap } from "./treemap.tsx";
import { WhyDepends } from "./why-depends.tsx";
import "./closure.css";

const ClosureGraph = lazy(() => import("./closure-graph.tsx"));

type View = "list" | "sizes" | "graph" | "why";

export default function Closure() {
  const { actions, ui } = usePage();
  const closure = useAppState((state) => state.closure);
  const asked = useAppState((state) => state.ui.focusPath);
  const [view, setView] = useState<View>("list");
  const [chosen, setChosen] = useState<string | null>(null);
  const roots = useRoots();
  const root = roots.find((each) => each.path === asked)?.path ?? roots[0]?.path ?? null;
  useEffect(() => {
    if (root !== null && root !== closure.root) void actions.loadClosure(root);
  }, [root, closure.root, actions]);
  if (root === null)
    return (
      <Empty icon="closure" title="Nothing to look through yet">
        <p>Build the file. The closure is the system and everything it refers to, and nothing else.</p>
      </Empty>
    );
  return (
    <>
      <DockTools>
        <Segments
          label="View"
          value={view}
          choose={setView}
          options={[
            { value: "list", label: "List" },
            { value: "sizes", label: "Sizes" },
            { value: "graph", label: "Graph" },
            { value: "why", label: "Why" },
          ]}
        />
        <select
          className="field"
          aria-label="Closure of"
          value={root}
          onChange={(event) => ui.inspect("closure", event.target.value)}
        >
          {roots.map((each) => (
            <option key={each.path} value={each.path}>
              {each.label}
            </option>
          ))}
        </select>
        <span className="muted numeric">
          {plural(closure.paths.length, "path")}, {formatBytes(closure.totalSize)}
        </span>
      </DockTools>
      {closure.loading || closure.root !== root ? (
        <div className="panel">
          <Progress fraction={null} label="Reading the closure" />
        </div>
      ) : (
        <View view={view} paths={closure.paths} root={root} chosen={chosen} choose={setChosen} />
      )}
    </>
  );
}

export interface ClosureViewProps {
  paths: ClosurePath[];
  root: string;
  chosen: string | null;
  choose(path: string): void;
}

function View({ view, ...props }: ClosureViewProps & { view: View }) {
  if (view === "why") return <WhyDepends paths={props.paths} root={props.root} to={props.chosen} />;
  return (
    <div className="split">
      <div className="split-main">
        {view === "list" && <ClosureList {...props} />}
        {view === "sizes" && <Treemap {...props} />}
        {view === "graph" && (
          <Suspense fallback={<p className="dock-wait">Drawing…</p>}>
            <ClosureGraph {...props} />
          </Suspense>
        )}
      </div>
      {props.chosen !== null && (
        <aside className="split-side" aria-label="Chosen path">
          <PathCard path={props.chosen} choose={props.choose} />
        </aside>
      )}
    </div>
  );
}

interface Root {
  path: string;
  label: string;
}

/** What one may look through: the file as built, every generation, and a path asked for elsewhere. */
function useRoots(): Root[] {
  const built = useAppState((state) => state.build.outPath);
  const list = useAppState((state) => state.generations.list);
  const generations = list
    .toReversed()
    .map(({ outPath, number }) => ({ path: outPath, label: `generation ${number}` }));
  const known = generations.some((each) => each.path === built);
  return built !== null && !known ? [{ path: built, label: "the last build" }, ...generations] : unique(generations);
}

function unique(roots: Root[]): Root[] {
  return roots.filter((root, index) => roots.findIndex((each) => each.path === root.path) === index);
}
