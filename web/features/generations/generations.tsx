/** The timeline of generations: what each is, how it differs from its neighbour, and everything one may do with it. */
import { useState } from "react";
import { formatDate, plural } from "#web/state/format.ts";
import type { Generation } from "#web/state/model.ts";
import { useActions, useAppState, usePage } from "#web/state/context.ts";
import { defaultGeneration, rollbackTarget } from "#web/state/derive.ts";
import { Button } from "#web/ui/button.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Icon } from "#web/ui/icon.tsx";
import { Empty, Progress } from "#web/ui/parts.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import { useAnswer } from "#web/ui/use-answer.ts";
import { ChangeView } from "../changes/change-view.tsx";
import "./generations.css";

export default function Generations() {
  const { list, runningUnsaved } = useAppState((state) => state.generations);
  const actions = useActions();
  const [chosen, setChosen] = useState<number | null>(null);
  const [against, setAgainst] = useState<number | null>(null);
  const at = list.find((each) => each.number === chosen) ?? defaultGeneration(list) ?? list.at(-1);
  if (!at)
    return (
      <Empty icon="generations" title="No generations yet">
        <p>Each switch leaves one. None of them is ever changed, so one can always go back.</p>
      </Empty>
    );
  const before = list.find((each) => each.number === against) ?? list.findLast((each) => each.number < at.number);
  return (
    <div className="panel generations">
      <DockTools>
        <span className="muted">{plural(list.length, "generation")}</span>
        <Button
          size="small"
          icon="back"
          command="nixos-rebuild switch --rollback"
          disabled={!rollbackTarget(list)}
          onClick={() => void actions.rollback()}
        >
          Roll back
        </Button>
      </DockTools>
      <ol className="timeline" aria-label="Timeline">
        {list.map((each) => (
          <TimelineStop
            key={each.number}
            generation={each}
            chosen={each === at}
            choose={() => setChosen(each.number)}
          />
        ))}
        {runningUnsaved && (
          <li className="stop stop-unsaved">
            <span className="stop-dot">~</span>
            <span className="mark mark-current">running, not saved</span>
          </li>
        )}
      </ol>
      <Details generation={at} />
      <Difference from={before ?? null} to={at} list={list} choose={setAgainst} />
    </div>
  );
}

interface StopProps {
  generation: Generation;
  chosen: boolean;
  choose(): void;
}

function TimelineStop({ generation, chosen, choose }: StopProps) {
  const { number, date, current, booted, isDefault, pinned, note } = generation;
  return (
    <li className="stop">
      <button type="button" aria-pressed={chosen} aria-label={`Generation ${number}`} onClick={choose}>
        <span className="stop-dot numeric">{number}</span>
        <span className="stop-date">{formatDate(date)}</span>
        {note && <span className="stop-note truncate">{note}</span>}
        <span className="stop-marks">
          {current && <span className="mark mark-current">running</span>}
          {booted && <span className="mark">booted</span>}
          {isDefault && <span className="mark mark-default">starts next</span>}
          {pinned && <Icon name="pin" size={13} />}
        </span>
      </button>
    </li>
  );
}

function Details({ generation }: { generation: Generation }) {
  const { actions, ui } = usePage();
  const { number, outPath, isDefault, pinned, note, files, current, booted, label } = generation;
  const [typed, setTyped] = useState<{ number: number; note: string } | null>(null);
  return (
    <section className="generation" aria-label={`Generation ${number}`}>
      <div className="row">
        <h3>Generation {number}</h3>
        <span className="muted">{label}</span>
        <StoreName path={outPath} hash />
        <span className="grow" />
        <Button
          size="small"
          look={isDefault ? "plain" : "primary"}
          disabled={isDefault && current}
          command={`nix-env -p /nix/var/nix/profiles/system --switch-generation ${number}`}
          onClick={() => void actions.switchGeneration(number)}
        >
          Switch to it
        </Button>
        <Button size="small" icon="power" tip="Start the machine on it once" onClick={() => void actions.boot(number)}>
          Boot it
        </Button>
        <Button size="small" icon="file" disabled={!files} onClick={() => void actions.restoreFiles(number)}>
          Restore its file
        </Button>
        <Button size="small" icon="closure" onClick={() => ui.inspect("closure", outPath)}>
          Closure
        </Button>
        <Button size="small" icon="pin" aria-pressed={pinned} onClick={() => void actions.setPinned(number, !pinned)}>
          {pinned ? "Unpin" : "Pin"}
        </Button>
        <Button
          size="small"
          look="danger"
          icon="trash"
          disabled={isDefault || current || booted || pinned}
          command={`nix-env -p /nix/var/nix/profiles/system --delete-generations ${number}`}
          onClick={() => void actions.deleteGenerations([number])}
        >
          Delete
        </Button>
      </div>
      <input
        className="field generation-note"
        aria-label={`Note for generation ${number}`}
        placeholder="Add a note"
        value={typed?.number === number ? typed.note : note}
        onChange={(event) => setTyped({ number, note: event.target.value })}
        onBlur={() => {
          if (typed?.number === number && typed.note !== note) void actions.setNote(number, typed.note);
        }}
      />
    </section>
  );
}

interface DifferenceProps {
  from: Generation | null;
  to: Generation;
  list: Generation[];
  choose(number: number): void;
}

function Difference({ from, to, list, choose }: DifferenceProps) {
  const actions = useActions();
  const key = from ? `${from.outPath} ${to.outPath}` : null;
  const answer = useAnswer(key, () => actions.diffGenerations(from?.number ?? 0, to.number));
  if (!from) return <p className="panel-note">It is the first: there is nothing before it.</p>;
  return (
    <section className="panel-section" aria-label="Difference">
      <h3>
        <label>
          What it changed since{" "}
          <select className="field" value={from.number} onChange={(event) => choose(Number(event.target.value))}>
            {list
              .filter((each) => each !== to)
              .map((each) => (
                <option key={each.number} value={each.number}>
                  generation {each.number}
                </option>
              ))}
          </select>
        </label>
      </h3>
      {answer.loading && <Progress fraction={null} label="Comparing" />}
      {!answer.loading && answer.value && <ChangeView change={answer.value} />}
      {!answer.loading && !answer.value && <p className="panel-note">It is no longer in the store.</p>}
    </section>
  );
}
