/** The store as a whole: how much is in it, what keeps it, and what collection would free. */
import { useEffect } from "react";
import { formatBytes, plural } from "#web/state/format.ts";
import { useAppState, usePage } from "#web/state/context.ts";
import type { GcPlan, StoreState } from "#web/state/model.ts";
import { Button } from "#web/ui/button.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Fact, Progress } from "#web/ui/parts.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import { useAnswer } from "#web/ui/use-answer.ts";

export default function Store() {
  const { actions } = usePage();
  const store = useAppState((state) => state.store);
  useEffect(() => void actions.refreshStore(), [actions]);
  const plan = useAnswer(`${store.paths} ${store.bytes} ${store.deadPaths}`, () => actions.gcPlan());
  return (
    <>
      <DockTools>
        <Button
          size="small"
          icon="trash"
          command="nix-collect-garbage"
          disabled={store.work !== null || store.deadPaths === 0}
          onClick={() => void actions.gc()}
        >
          Free {formatBytes(store.deadBytes)}
        </Button>
        <Button
          size="small"
          icon="check"
          command="nix-store --verify --check-contents"
          disabled={store.work !== null}
          onClick={() => void actions.verifyStore()}
        >
          Verify
        </Button>
        {store.work && (
          <>
            <span className="muted">{store.work.text}</span>
            <Button size="small" look="quiet" onClick={() => actions.cancel()}>
              Cancel
            </Button>
          </>
        )}
      </DockTools>
      <div className="panel">
        {store.work && <Progress fraction={store.work.fraction} label={store.work.text} />}
        {store.report !== null && <output className="verdict verdict-good">{store.report}</output>}
        <div className="panel-columns">
          <Space store={store} />
          <Roots store={store} />
          {!plan.loading && plan.value && <Dead plan={plan.value} />}
        </div>
      </div>
    </>
  );
}

function Space({ store }: { store: StoreState }) {
  const { actions } = usePage();
  return (
    <section className="panel-section">
      <h3>Space</h3>
      <dl className="facts">
        <Fact name="Valid paths">
          {plural(store.paths, "path")}, {formatBytes(store.bytes)}
        </Fact>
        <Fact name="This site in the browser">
          {store.usage === null ? "not told" : formatBytes(store.usage)}
          {store.quota !== null && ` of ${formatBytes(store.quota)}`}
        </Fact>
        <Fact name="Kept when the disk is full">
          {store.persisted ? (
            "yes"
          ) : (
            <Button size="small" onClick={() => void actions.askPersistence()}>
              Ask the browser to keep it
            </Button>
          )}
        </Fact>
      </dl>
    </section>
  );
}

function Roots({ store }: { store: StoreState }) {
  return (
    <section className="panel-section">
      <h3>
        Roots <span>what must stay</span>
      </h3>
      <ul className="panel-list">
        {store.roots.map((root) => (
          <li key={root.name}>
            <code>{root.name}</code>
            <span className="muted">→</span>
            <StoreName path={root.path} hash />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Dead({ plan }: { plan: GcPlan }) {
  return (
    <section className="panel-section">
      <h3>
        Nothing refers to <span>{formatBytes(plan.bytes)}</span>
      </h3>
      {plan.dead.length === 0 && <p className="panel-note">Every path is needed by a generation.</p>}
      <ul className="panel-list">
        {plan.dead.map((each) => (
          <li key={each.path}>
            <StoreName path={each.path} />
            <span className="grow" />
            <span className="muted numeric">{formatBytes(each.narSize)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
