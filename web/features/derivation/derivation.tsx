/** A derivation: what will be run, with what, to give which path. Every store path in it leads on. */
import { useState, type ReactNode } from "react";
import { useAppState, usePage } from "#web/state/context.ts";
import type { DerivationView } from "#web/state/model.ts";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Empty, Fact, Progress, Segments } from "#web/ui/parts.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import { useAnswer } from "#web/ui/use-answer.ts";
import "./derivation.css";

type View = "read" | "text";

export default function Derivation() {
  const { actions } = usePage();
  const focus = useAppState((state) => state.ui.focusPath);
  const top = useAppState((state) => state.evaluation.result?.drvPath ?? null);
  const path = focus?.endsWith(".drv") ? focus : top;
  const [view, setView] = useState<View>("read");
  const answer = useAnswer(path, () => actions.derivation(path ?? ""));
  if (path === null)
    return (
      <Empty icon="derivation" title="Nothing evaluated yet">
        <p>A derivation says how something will be built, before it is built.</p>
      </Empty>
    );
  if (answer.loading)
    return (
      <div className="panel">
        <Progress fraction={null} label="Reading" />
      </div>
    );
  const found = answer.value;
  if (!found)
    return (
      <Empty icon="derivation" title="Not in the store yet">
        <p>Build the file to write its derivations into the store.</p>
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
            { value: "read", label: "To read" },
            { value: "text", label: "As it is" },
          ]}
        />
        <StoreName path={found.drvPath} hash />
      </DockTools>
      {view === "text" ? <pre className="panel log">{found.text}</pre> : <Readable drv={found} />}
    </>
  );
}

function Readable({ drv }: { drv: DerivationView }) {
  const { ui } = usePage();
  const open = (path: string): void => ui.inspect(path.endsWith(".drv") ? "derivation" : "closure", path);
  return (
    <div className="panel">
      <div className="panel-columns">
        <section className="panel-section">
          <h3>{drv.name}</h3>
          <dl className="facts">
            {drv.outputs.map((output) => (
              <Fact key={output.name} name={`Output ${output.name}`}>
                {output.path ? <StoreName path={output.path} hash /> : "known once it is built"}
              </Fact>
            ))}
            <Fact name="System">{drv.system}</Fact>
            <Fact name="Builder">
              <code>{linked(drv.builder, open)}</code>
            </Fact>
            <Fact name="Arguments">
              <code>{drv.args.map((arg, index) => (index > 0 ? [" ", linked(arg, open)] : linked(arg, open)))}</code>
            </Fact>
          </dl>
        </section>
        <section className="panel-section">
          <h3>
            Needs <span>{drv.inputDrvs.length + drv.inputSrcs.length}</span>
          </h3>
          <ul className="panel-list">
            {drv.inputDrvs.map((input) => (
              <li key={input.drvPath}>
                <StoreName path={input.drvPath} open={open} />
                <span className="muted">{input.outputs.join(", ")}</span>
              </li>
            ))}
            {drv.inputSrcs.map((path) => (
              <li key={path}>
                <StoreName path={path} open={open} />
                <span className="muted">source</span>
              </li>
            ))}
          </ul>
        </section>
        <section className="panel-section">
          <h3>
            Environment <span>{drv.env.length}</span>
          </h3>
          <dl className="facts">
            {drv.env.map((variable) => (
              <Fact key={variable.name} name={variable.name}>
                <code className="drv-value">{linked(variable.value, open)}</code>
              </Fact>
            ))}
          </dl>
        </section>
      </div>
    </div>
  );
}

/** Text with its store paths made to lead on. */
function linked(text: string, open: (path: string) => void): ReactNode[] {
  return text.split(/(\/nix\/store\/[0-9a-z]{32}-[\w+\-.?=]+)/).map((part, index) =>
    index % 2 === 1 ? (
      // oxlint-disable-next-line react/no-array-index-key -- parts of one unchanging text
      <StoreName key={index} path={part} open={open} />
    ) : (
      part
    ),
  );
}
