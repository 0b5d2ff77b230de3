/** Out of this browser and into it: the whole workspace as one file, the same for real Nix, and what all of it takes here. */
import { useEffect } from "react";
import { useAppState } from "#web/state/context.ts";
import type { TransferActions } from "#web/state/session/transferring.ts";
import { Button } from "#web/ui/button.tsx";
import { useTransfer, useTransferState } from "../sources/use-transfer.ts";
import { DropPlace, Work } from "../sources/work.tsx";
import { Space } from "./space.tsx";
import "../sources/sources.css";
import "./take-home.css";

export default function TakeHome() {
  const transfer = useTransfer();
  useEffect(() => void transfer?.measure().catch(() => undefined), [transfer]);
  if (transfer === null) return <div className="panel" />;
  return (
    <div className="panel">
      <div className="sources-columns">
        <Archive transfer={transfer} />
        <RealNix transfer={transfer} />
        <Space transfer={transfer} />
      </div>
    </div>
  );
}

function Archive({ transfer }: { transfer: TransferActions }) {
  const title = useAppState((state) => state.workspace.title);
  const busy = useTransferState((state) => state.work !== null);
  return (
    <section className="panel-section" aria-label="To another browser">
      <h3>
        To another browser <span>everything in one file</span>
      </h3>
      <div className="take-rows">
        <Button icon="download" look="primary" disabled={busy} onClick={() => void transfer.saveArchive()}>
          Save “{title}”
        </Button>
        <p className="panel-note">
          Files, store, generations with notes, lessons, and what the machine has on its disk.
        </p>
        <DropPlace label="Open a saved one" accept=".gz,.tar" take={([file]) => void transfer.openArchive(file)}>
          <span className="muted">or drop it here</span>
        </DropPlace>
      </div>
      <Work kind="archive" transfer={transfer} />
    </section>
  );
}

function RealNix({ transfer }: { transfer: TransferActions }) {
  const built = useAppState((state) => state.generations.list.length > 0);
  const busy = useTransferState((state) => state.work !== null);
  const name = useAppState((state) => state.workspace.title);
  const later = built ? {} : { tip: "Build it first" };
  return (
    <section className="panel-section" aria-label="To real Nix">
      <h3>
        To real Nix <span>the same store paths</span>
      </h3>
      <div className="take-rows">
        <Exit
          label="The folder"
          meaning="default.nix, flake.nix, your files and the package sets beside them"
          button={
            <Button
              size="small"
              icon="folder"
              disabled={busy}
              tip="A folder to run nix-build in"
              onClick={() => void transfer.takeHome()}
            >
              Save .zip
            </Button>
          }
        />
        <Exit
          label="The system, built"
          meaning="its whole closure, to import into a store"
          button={
            <Button
              size="small"
              icon="closure"
              disabled={busy || !built}
              {...(built ? { command: "nix-store --export $(nix-store -qR /nix/var/nix/profiles/system)" } : later)}
              onClick={() => void transfer.saveClosure()}
            >
              Save .nar
            </Button>
          }
        />
        <Exit
          label="A container image"
          meaning={`for docker, podman, skopeo: ${name} with its own shell`}
          button={
            <Button
              size="small"
              icon="store"
              disabled={busy || !built}
              {...later}
              onClick={() => void transfer.saveImage()}
            >
              Save .oci.tar
            </Button>
          }
        />
      </div>
      <Work kind="export" transfer={transfer} />
    </section>
  );
}

function Exit({ label, meaning, button }: { label: string; meaning: string; button: React.ReactNode }) {
  return (
    <div className="exit">
      <div>
        <strong>{label}</strong>
        <p className="panel-note">{meaning}</p>
      </div>
      {button}
    </div>
  );
}
