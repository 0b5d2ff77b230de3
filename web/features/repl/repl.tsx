/** The repl: expressions over the workspace's files, names that are kept, history, completion by Tab, and Ctrl+C. */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { commonStart } from "#web/features/console/common-start.ts";
import { useAppState, usePage } from "#web/state/context.ts";
import type { ReplEntry } from "#web/state/model.ts";
import { Button } from "#web/ui/button.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { ansiPieces } from "./ansi.ts";
import { remember, replHistory } from "./history.ts";
import "./repl.css";

const PROMPT = "nix-repl> ";
const CONTINUED = "        > ";

const tries = ["1 + 2", "builtins.map (x: x * x) [ 1 2 3 ]", ":l <nixpkgs>", ":doc builtins.foldl'", ":?"];

export default function Repl() {
  const { actions } = usePage();
  const { entries, pending, running } = useAppState((state) => state.repl);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (entries.length > 0) end.current?.scrollIntoView({ block: "end" });
  }, [entries]);
  return (
    <>
      <DockTools>
        {running && (
          <Button size="small" look="quiet" onClick={() => void actions.stopRepl()}>
            Stop
          </Button>
        )}
        {entries.length > 0 && (
          <Button size="small" look="quiet" onClick={() => void actions.clearRepl()}>
            Clear
          </Button>
        )}
      </DockTools>
      <div className="repl">
        {entries.length === 0 && (
          <div className="repl-tries">
            <p className="panel-note">For example</p>
            {tries.map((line) => (
              <button key={line} type="button" onClick={() => void actions.replLine(line)}>
                {line}
              </button>
            ))}
          </div>
        )}
        <div role="log" aria-label="Values">
          {entries.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </div>
        <Line prompt={pending === "" ? PROMPT : CONTINUED} running={running} />
        <div ref={end} />
      </div>
    </>
  );
}

function Entry({ entry: { input, continues, output } }: { entry: ReplEntry }) {
  return (
    <div className="repl-entry">
      <pre>
        <span className="repl-prompt" aria-hidden="true">
          {continues ? CONTINUED : PROMPT}
        </span>
        {input}
      </pre>
      <pre>
        {output.flatMap(({ stream, text }, part) =>
          ansiPieces(text).map(({ text: piece, color }, index) => (
            <span
              // oxlint-disable-next-line react/no-array-index-key -- output only grows at its end
              key={`${part} ${index}`}
              className={color === null ? (stream === "err" ? "repl-err" : undefined) : `repl-${color}`}
            >
              {piece}
            </span>
          )),
        )}
      </pre>
    </div>
  );
}

function Line({ prompt, running }: { prompt: string; running: boolean }) {
  const { actions } = usePage();
  const [line, setLine] = useState("");
  const [back, setBack] = useState(0);
  const [choices, setChoices] = useState<string[]>([]);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (choices.length > 0) list.current?.scrollIntoView({ block: "end" });
  }, [choices]);
  const edit = (text: string): void => {
    setLine(text);
    setChoices([]);
  };
  const recall = (steps: number): void => {
    const history = replHistory();
    const at = Math.min(history.length, Math.max(0, back + steps));
    setBack(at);
    edit(at === 0 ? "" : (history.at(-at) ?? ""));
  };
  const complete = async (): Promise<void> => {
    const found = await actions.completeRepl(line);
    const word = /^\s*:\S*$/.test(line) ? line.trim() : (/[^\s()[\]{};:,+*/=!<>&|?"']*$/.exec(line)?.[0] ?? "");
    const shared = commonStart(found ?? []);
    if (shared.length > word.length) edit(line.slice(0, line.length - word.length) + shared);
    else setChoices((found ?? []).slice(0, 60));
  };
  const submit = (): void => {
    remember(line);
    void actions.replLine(line);
    edit("");
    setBack(0);
  };
  const interrupt = (): void => {
    void actions.stopRepl();
    edit("");
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const isInterrupt = event.key === "c" && event.ctrlKey && getSelection()?.isCollapsed !== false;
    if (isInterrupt) interrupt();
    else if (event.key === "Tab" && line !== "" && !event.shiftKey) void complete();
    else if (event.key === "ArrowUp") recall(1);
    else if (event.key === "ArrowDown") recall(-1);
    else if (event.key === "Enter" && !running && (line.trim() !== "" || prompt === CONTINUED)) submit();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <label className="repl-line">
        <span className="repl-prompt" aria-hidden="true">
          {running ? "evaluating… " : prompt}
        </span>
        <span className="visually-hidden">Expression</span>
        <input
          ref={field}
          value={line}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          onChange={(event) => edit(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </label>
      {choices.length > 0 && (
        <div className="repl-choices" ref={list}>
          {choices.map((name) => (
            <span key={name}>{name}</span>
          ))}
        </div>
      )}
    </>
  );
}
