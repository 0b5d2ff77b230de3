/** One store path: sizes, hash, what it refers to and what refers to it, what is in it, and why it is kept. */
import { formatBytes } from "#web/state/format.ts";
import type { PathDetails } from "#web/state/model.ts";
import { usePage } from "#web/state/context.ts";
import { Button } from "#web/ui/button.tsx";
import { copyText } from "#web/ui/clipboard.ts";
import { Fact, Progress } from "#web/ui/parts.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import { useAnswer } from "#web/ui/use-answer.ts";

export function PathCard({ path, choose }: { path: string; choose(path: string): void }) {
  const { actions } = usePage();
  const answer = useAnswer(path, () => actions.explainPath(path));
  if (answer.loading) return <Progress fraction={null} label="Looking" />;
  if (!answer.value) return <p className="panel-note">It is not in the store.</p>;
  return <Card details={answer.value} choose={choose} />;
}

function Card({ details, choose }: { details: PathDetails; choose(path: string): void }) {
  const { ui } = usePage();
  const { path, name, narHash, narSize, closureSize, deriver, references, referrers, keptBy, entries } = details;
  return (
    <div className="path-card">
      <h3 className="truncate">{name}</h3>
      <div className="row">
        <Button size="small" icon="copy" onClick={(event) => void copyText(path, event.currentTarget)}>
          Copy path
        </Button>
        {deriver && (
          <Button size="small" icon="derivation" onClick={() => ui.inspect("derivation", deriver)}>
            Derivation
          </Button>
        )}
      </div>
      <dl className="facts">
        <div className="facts-row">
          <Fact name="Size">{formatBytes(narSize)}</Fact>
          <Fact name="With all it needs">{formatBytes(closureSize)}</Fact>
        </div>
        <Fact name="NAR hash">
          <code>{narHash}</code>
        </Fact>
        {details.contentAddress && (
          <Fact name="Content address">
            <code>{details.contentAddress}</code>
          </Fact>
        )}
        <Fact name="Kept by">
          {keptBy.length > 0 ? <Chain links={keptBy} open={choose} /> : "nothing: collection would free it"}
        </Fact>
        <Fact name="In it">
          <ul className="entries">
            {entries.map((entry) => (
              <li key={entry.name}>
                <code>
                  {entry.name}
                  {entry.kind === "folder" ? "/" : entry.kind === "executable" ? "*" : ""}
                </code>
                {entry.target && <span className="muted truncate"> → {entry.target}</span>}
                {entry.kind !== "folder" && !entry.target && (
                  <span className="muted numeric">{formatBytes(entry.size)}</span>
                )}
              </li>
            ))}
          </ul>
        </Fact>
        <Paths name={`References (${references.length})`} paths={references} open={choose} />
        <Paths name={`Referrers (${referrers.length})`} paths={referrers} open={choose} />
      </dl>
    </div>
  );
}

function Paths({ name, paths, open }: { name: string; paths: string[]; open(path: string): void }) {
  if (paths.length === 0) return null;
  return (
    <Fact name={name}>
      <ul className="entries">
        {paths.map((path) => (
          <li key={path}>
            <StoreName path={path} open={open} />
          </li>
        ))}
      </ul>
    </Fact>
  );
}

/** From a root down to the path: names in a row. */
function Chain({ links, open }: { links: string[]; open(path: string): void }) {
  return (
    <ol className="chain">
      {links.map((link) => (
        <li key={link}>
          {link.startsWith("/nix/store/") ? <StoreName path={link} open={open} /> : <code>{link}</code>}
        </li>
      ))}
    </ol>
  );
}
