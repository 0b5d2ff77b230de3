/** A change in full: services, files of /etc with their lines, packages, users, the rest. Used before a switch and between generations. */
import { bareUnit, etcName } from "#web/state/derive.ts";
import { formatBytes, formatDelta } from "#web/state/format.ts";
import type { Change } from "#web/state/model.ts";
import { diffLines } from "./line-diff.ts";
import "./change-view.css";

const unitWords = { start: "starts", stop: "stops", restart: "restarts", reload: "reloads" } as const;
const unitSigns = { start: "+", stop: "−", restart: "↻", reload: "↻" } as const;
const kindSigns = { added: "+", removed: "−", changed: "~" } as const;

export function ChangeView({ change }: { change: Change }) {
  const { units, etc, packages, users, others } = change;
  return (
    <div className="panel-columns">
      {units.length > 0 && (
        <section className="panel-section">
          <h3>
            Services <span>{units.length}</span>
          </h3>
          <ul className="panel-list">
            {units.map((unit) => (
              <li key={unit.name}>
                <Sign sign={unitSigns[unit.action]} />
                <span>
                  <b>{bareUnit(unit.name)}</b> {unitWords[unit.action]}
                  <span className="change-why">{unit.reason}</span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {etc.length > 0 && <EtcFiles files={etc} />}
      {packages.length > 0 && (
        <section className="panel-section">
          <h3>
            Packages <span>{formatDelta(change.closureDelta)}</span>
          </h3>
          <ul className="panel-list">
            {packages.map((each) => (
              <li key={each.name}>
                <Sign sign={each.before === null ? "+" : each.after === null ? "−" : "~"} />
                <span className="grow">
                  <b>{each.name}</b> <span className="muted">{versions(each.before, each.after)}</span>
                </span>
                <span className="numeric muted">{formatDelta(each.sizeDelta)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {users.length + others.length > 0 && (
        <section className="panel-section">
          <h3>Users and the rest</h3>
          <ul className="panel-list">
            {users.map((user) => (
              <li key={user.name}>
                <Sign sign={kindSigns[user.kind]} />
                <span>
                  user <b>{user.name}</b> {user.kind}
                </span>
              </li>
            ))}
            {others.map((other) => (
              <li key={other.name}>
                <Sign sign="~" />
                <span>
                  <b>{other.name}</b>
                  <span className="change-why">
                    {other.detail}
                    {other.needsReboot && " Takes effect after a restart."}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {change.count === 0 && <p className="panel-note">No service, file, package or user changes.</p>}
      <p className="panel-note">New in the store: {formatBytes(change.newBytes)}.</p>
    </div>
  );
}

const versions = (before: string | null, after: string | null): string =>
  [before, after].filter((version) => version !== null && version !== "").join(" → ");

function EtcFiles({ files }: { files: Change["etc"] }) {
  return (
    <section className="panel-section change-files">
      <h3>
        Files in /etc <span>{files.length}</span>
      </h3>
      <ul className="panel-list">
        {files.map((file) => (
          <li key={file.path} className="change-file">
            <details open={files.length < 4}>
              <summary>
                <Sign sign={kindSigns[file.kind]} />
                <b className="truncate">{etcName(file.path)}</b>
              </summary>
              {(file.before !== null || file.after !== null) && <Lines before={file.before} after={file.after} />}
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

const lineSigns = { same: " ", added: "+", removed: "−", gap: "⋯" } as const;

function Lines({ before, after }: { before: string | null; after: string | null }) {
  return (
    <pre className="diff">
      {diffLines(before ?? "", after ?? "").map((line, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- the lines are drawn anew as a whole
        <span key={index} className={`diff-${line.kind}`}>
          {lineSigns[line.kind]} {line.text}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

function Sign({ sign }: { sign: string }) {
  return (
    <span className={sign === "−" ? "sign sign-removed" : "sign"} aria-hidden="true">
      {sign}
    </span>
  );
}
