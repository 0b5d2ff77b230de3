/** Why one path needs another: every chain between them, with the place where each reference stands. */
import { useState } from "react";
import type { ClosurePath, DependencyLink } from "#web/state/model.ts";
import { pathName } from "#web/state/format.ts";
import { usePage } from "#web/state/context.ts";
import { Progress } from "#web/ui/parts.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import { useAnswer } from "#web/ui/use-answer.ts";

export function WhyDepends({ paths, root, to }: { paths: ClosurePath[]; root: string; to: string | null }) {
  const { actions, ui } = usePage();
  const [from, setFrom] = useState(root);
  const [target, setTarget] = useState(to ?? paths.findLast((each) => each.path !== root)?.path ?? root);
  const answer = useAnswer(`${from} ${target}`, () => actions.whyDepends(from, target));
  return (
    <div className="panel why">
      <div className="row">
        <span>Why does</span>
        <PathSelect label="From" paths={paths} value={from} choose={setFrom} />
        <span>need</span>
        <PathSelect label="To" paths={paths} value={target} choose={setTarget} />
      </div>
      <p>
        <code className="panel-note">
          nix why-depends --all {pathName(from)} {pathName(target)}
        </code>
      </p>
      {answer.loading && <Progress fraction={null} label="Looking for chains" />}
      {!answer.loading && answer.value.length === 0 && (
        <p>It does not: neither it nor anything it needs refers to it.</p>
      )}
      {!answer.loading &&
        answer.value.map((chain) => (
          <ChainView
            key={chain.map((link) => link.path).join()}
            chain={chain}
            open={(path) => ui.inspect("closure", path)}
          />
        ))}
    </div>
  );
}

interface SelectProps {
  label: string;
  paths: ClosurePath[];
  value: string;
  choose(path: string): void;
}

function PathSelect({ label, paths, value, choose }: SelectProps) {
  return (
    <select className="field" aria-label={label} value={value} onChange={(event) => choose(event.target.value)}>
      {paths
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map((each) => (
          <option key={each.path} value={each.path}>
            {each.name}
          </option>
        ))}
    </select>
  );
}

function ChainView({ chain, open }: { chain: DependencyLink[]; open(path: string): void }) {
  const last = chain.at(-1)?.next;
  return (
    <ol className="why-chain">
      {chain.map((link) => (
        <li key={link.path}>
          <StoreName path={link.path} open={open} />
          {link.file !== null && <span className="muted"> in {link.file}</span>}
          {link.excerpt !== null && <code className="why-excerpt truncate">{link.excerpt}</code>}
        </li>
      ))}
      {last !== undefined && (
        <li>
          <StoreName path={last} open={open} />
        </li>
      )}
    </ol>
  );
}
