/** One line of the first visit's guide above the strip. It goes when everything was tried, or when it is sent away. */
import { useEffect, useState } from "react";
import { firstError } from "#web/state/derive.ts";
import { usePage, useAppState, type Page } from "#web/state/context.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { Icon } from "#web/ui/icon.tsx";
import { runCommand } from "#web/app/commands.ts";
import {
  advance,
  breakService,
  entryText,
  nothingDone,
  recolour,
  sentences,
  stageOf,
  type Done,
  type Stage,
} from "./walk.ts";
import "./hint.css";

const key = "terrarium-walk";

export function Hint() {
  const page = usePage();
  const done = useDone(page);
  const wanted = useAppState((state) => state.ui.settings.hints && state.generations.list.length > 0);
  const failing = useAppState((state) => firstError(state) !== null);
  const own = useAppState((state) => state.workspace.kind === "own" && state.workspace.origin === "first");
  const busy = useAppState((state) => state.switching.phase === "running" || state.build.phase === "running");
  const stage = useAppState((state) => stageOf(done, state));
  if (!wanted || !own || busy || failing || stage === "done") return null;
  const { text, button } = sentences[stage];
  return (
    <div className="hint" role="note">
      <Icon name="leaf" size={16} />
      <span className="hint-text">{text}</span>
      {button && (
        <Button size="small" look="primary" onClick={() => help(stage, page)}>
          {button}
        </Button>
      )}
      <IconButton label="No more hints" icon="cross" size="small" onClick={() => page.ui.change({ hints: false })} />
    </div>
  );
}

function useDone(page: Page): Done {
  const [done, setDone] = useState(load);
  useEffect(
    () =>
      page.store.subscribe((state) =>
        setDone((before) => {
          const after = advance(before, state);
          if (after !== before) keep(after);
          return after;
        }),
      ),
    [page],
  );
  return done;
}

function load(): Done {
  try {
    return { ...nothingDone, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Done>) };
  } catch {
    return nothingDone;
  }
}

function keep(done: Done): void {
  try {
    localStorage.setItem(key, JSON.stringify(done));
  } catch {
    // Storage is forbidden: the guide begins anew next time.
  }
}

function help(stage: Stage, page: Page): void {
  const state = page.store.getState();
  const text = entryText(state);
  const edit = (changed: string | null): void => {
    if (changed === null) return;
    page.ui.openFile(state.workspace.entry);
    page.actions.editFile(state.workspace.entry, changed);
  };
  if (stage === "change") edit(recolour(text));
  else if (stage === "break") edit(breakService(text));
  else if (stage === "share") void shareWhatRuns(page);
  else if (stage === "plug") {
    if (state.pending.status !== "ready") edit(recolour(text));
    page.ui.setPlug("etc");
  }
}

/** After the roll back the file still says what broke: what is sent is the machine that runs. */
async function shareWhatRuns(page: Page): Promise<void> {
  const ahead = page.store.getState().generations.fileAhead;
  if (ahead) await page.actions.restoreFiles(ahead.generation);
  runCommand("share", page);
}
