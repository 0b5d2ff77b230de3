/** What the file evaluates to, while one edits: the system in names. */
import type { ReactNode } from "react";
import { bareUnit, etcName } from "#web/state/derive.ts";
import { useAppState, useUi } from "#web/state/context.ts";
import { Empty, Fact } from "#web/ui/parts.tsx";
import { StoreName } from "#web/ui/store-name.tsx";

export default function Result() {
  const { result, stale } = useAppState((state) => state.evaluation);
  const ui = useUi();
  if (!result) return <Empty icon="leaf" title="Nothing evaluated yet" />;
  return (
    <div className="panel">
      <div className="panel-columns">
        <section className="panel-section">
          <h3>System {stale && <span>of the last file without errors</span>}</h3>
          <dl className="facts">
            <Fact name="Host name">{result.hostName}</Fact>
            <Fact name="Web page">
              {result.web ? `${bareUnit(result.web.unit)} on port ${result.web.port}` : "none"}
            </Fact>
            <Fact name="Output">
              <StoreName path={result.outPath} hash />
            </Fact>
            <Fact name="Derivation">
              <StoreName path={result.drvPath} hash open={(path) => ui.inspect("derivation", path)} />
            </Fact>
          </dl>
        </section>
        <Names title="Units" names={result.units.map((unit) => bareUnit(unit.name))} />
        <Names title="Packages" names={result.packages.map((each) => `${each.name} ${each.version}`)} />
        <Names title="Users" names={result.users} />
        <Names title="Files in /etc" names={result.etcFiles.map(etcName)} />
        {result.warnings.length > 0 && <Names title="Warnings" names={result.warnings} />}
      </div>
    </div>
  );
}

function Names({ title, names }: { title: string; names: string[] }): ReactNode {
  return (
    <section className="panel-section">
      <h3>
        {title} <span className="numeric">{names.length}</span>
      </h3>
      <ul className="panel-list">
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </section>
  );
}
