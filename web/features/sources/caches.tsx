/** Binary caches from files: which are here, which key is trusted for each, and what the last build took from them. */
import { useState } from "react";
import type { CacheRecord } from "#workers/api.ts";
import { useAppState } from "#web/state/context.ts";
import { formatBytes, plural } from "#web/state/format.ts";
import type { BuildStep } from "#web/state/model.ts";
import type { TransferActions } from "#web/state/session/transferring.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { useTransferState } from "./use-transfer.ts";
import { DropPlace, FolderChoice, Work } from "./work.tsx";

export function Caches({ transfer }: { transfer: TransferActions }) {
  const caches = useTransferState((state) => state.caches);
  return (
    <section className="panel-section" aria-label="Binary caches">
      <h3>
        Binary caches <span>what is in them is not built</span>
      </h3>
      {caches?.length === 0 && (
        <p className="panel-note">
          A folder made by <code>nix copy --to file://…</code>, or an archive of one.
        </p>
      )}
      <ul className="sources-list">
        {caches?.map((cache) => (
          <Cache key={cache.id} cache={cache} transfer={transfer} />
        ))}
      </ul>
      <Work kind="cache" transfer={transfer} />
      <div className="source-add">
        <DropPlace label="Choose an archive of a cache" take={(files) => void transfer.addCache(files)}>
          <FolderChoice label="Choose a folder" take={(files) => void transfer.addCache(files)} />
          <span className="muted">or drop an archive here</span>
        </DropPlace>
      </div>
      <LastBuild />
    </section>
  );
}

function Cache({ cache, transfer }: { cache: CacheRecord; transfer: TransferActions }) {
  const { id, title, paths, bytes, signers, key, trusted } = cache;
  return (
    <li className="source">
      <span className="source-head">
        <strong>{title}</strong>
        <span className="muted numeric">
          {plural(paths, "path")}, {formatBytes(bytes)}
        </span>
        <span className={`mark ${trusted === paths ? "mark-current" : ""}`}>{takenText(trusted, paths)}</span>
        <span className="grow" />
        <IconButton size="small" icon="trash" label={`Delete ${title}`} onClick={() => void transfer.removeCache(id)} />
      </span>
      {(signers.length > 0 || key !== null) && <TrustedKey cache={cache} transfer={transfer} />}
    </li>
  );
}

const takenText = (trusted: number, paths: number): string =>
  trusted === paths ? "all trusted" : trusted === 0 ? "none trusted yet" : `${trusted} of ${paths} trusted`;

function TrustedKey({ cache: { id, key, signers }, transfer }: { cache: CacheRecord; transfer: TransferActions }) {
  const [typed, setTyped] = useState(key ?? "");
  const [wrong, setWrong] = useState<string | null>(null);
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        void transfer.trustKey(id, typed).then(setWrong);
      }}
    >
      <input
        className="field grow"
        aria-label="Key to trust"
        aria-invalid={wrong !== null}
        placeholder={`${signers[0] ?? "name"}:… the public key to trust`}
        value={typed}
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Button
        type="submit"
        size="small"
        disabled={typed.trim() === (key ?? "")}
        tip="As trusted-public-keys in nix.conf"
      >
        {typed.trim() === "" && key !== null ? "Trust no key" : "Trust"}
      </Button>
      {wrong !== null && <output className="transfer-report transfer-bad">{wrong}</output>}
    </form>
  );
}

/** What the last build did, by how each path came to be. */
function LastBuild() {
  const steps = useAppState((state) => state.build.steps);
  const done = steps.filter(({ state }) => state === "done");
  if (done.length === 0) return null;
  const taken = done.filter(({ how }) => how === "substitute");
  const built = done.filter(({ how }) => how === "builder");
  const known = done.filter(({ how }) => how === "recipe");
  return (
    <>
      <h4>The last build</h4>
      <ul className="panel-list numeric">
        <Count what="taken from a cache, not built" steps={taken} />
        <Count what="built by a machine" steps={built} after={duration(built)} />
        <Count what="worked out without one" steps={known} after={duration(known)} />
      </ul>
    </>
  );
}

function Count({ what, steps, after = "" }: { what: string; steps: BuildStep[]; after?: string }) {
  return (
    <li title={steps.map(({ name }) => name).join(", ")}>
      <strong>{steps.length}</strong> {what}
      {after !== "" && <span className="muted">{after}</span>}
    </li>
  );
}

function duration(steps: BuildStep[]): string {
  const total = steps.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  return total === 0 ? "" : `${(total / 1000).toFixed(1)} s`;
}
