/** Nix commands typed in the page: the same ones as in the machine's terminal, on the same store, with no machine needed. */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useAppState, usePage } from "#web/state/context.ts";
import type { ConsoleEntry } from "#web/state/model.ts";
import { Button } from "#web/ui/button.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { commonStart } from "./common-start.ts";
import "./console.css";

const tries = [
  "nixos-rebuild list-generations",
  "nix-instantiate --eval -E 'builtins.nixVersion'",
  "nix path-info -rSh /nix/var/nix/profiles/system",
  "nix-store -q --tree /nix/var/nix/profiles/system",
];

export default function Console() {
  const { actions } = usePage();
  const entries = useAppState((state) => state.console);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (entries.length > 0) end.current?.scrollIntoView({ block: "end" });
  }, [entries]);
  return (
    <>
      <DockTools>
        {entries.length > 0 && (
          <Button size="small" look="quiet" onClick={() => actions.clearConsole()}>
            Clear
          </Button>
        )}
      </DockTools>
      <div className="console">
        {entries.length === 0 && (
          <div className="console-tries">
            <p className="panel-note">For example</p>
            {tries.map((line) => (
              <button key={line} type="button" onClick={() => void actions.runCommand(line)}>
                {line}
              </button>
            ))}
          </div>
        )}
        <div role="log" aria-label="Output">
          {entries.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </div>
        <Prompt history={entries.map((entry) => entry.command)} />
        <div ref={end} />
      </div>
    </>
  );
}

function Entry({ entry }: { entry: ConsoleEntry }) {
  const { command, output, exitCode } = entry;
  return (
    <div className="entry">
      <p className="entry-command">
        <span aria-hidden="true">$ </span>
        {command}
      </p>
      <pre>
        {output.map((part, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- output only grows at its end
          <span key={index} className={part.stream === "err" ? "entry-err" : undefined}>
            {part.text}
          </span>
        ))}
      </pre>
      {exitCode === null && <p className="panel-note">running…</p>}
      {exitCode !== null && exitCode !== 0 && <p className="entry-exit">exit code {exitCode}</p>}
    </div>
  );
}

function Prompt({ history }: { history: string[] }) {
  const { actions } = usePage();
  const [line, setLine] = useState("");
  const [back, setBack] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const recall = (steps: number): void => {
    const at = Math.min(history.length, Math.max(0, back + steps));
    setBack(at);
    setLine(at === 0 ? "" : (history.at(-at) ?? ""));
  };
  const complete = async (): Promise<void> => {
    const found = await actions.completeCommand(line);
    const shared = commonStart(found ?? []);
    if (shared.length > line.length) setLine(shared);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Tab" && line !== "" && !event.shiftKey) void complete();
    else if (event.key === "ArrowUp") recall(1);
    else if (event.key === "ArrowDown") recall(-1);
    else if (event.key === "Enter" && line.trim() !== "") {
      void actions.runCommand(line.trim());
      setLine("");
      setBack(0);
    } else return;
    event.preventDefault();
  };
  return (
    <label className="prompt">
      <span aria-hidden="true">$</span>
      <span className="visually-hidden">Command</span>
      <input
        ref={field}
        value={line}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        onChange={(event) => setLine(event.target.value)}
        onKeyDown={onKeyDown}
      />
    </label>
  );
}
