/** The guest's web page. The frame shares no scripts with anybody: it may not run any, and a press on a link is answered by asking the guest. */
import { useEffect, useState, type FormEvent } from "react";
import { useActions, useAppState } from "#web/state/context.ts";
import { IconButton } from "#web/ui/button.tsx";
import { Icon } from "#web/ui/icon.tsx";
import { guestDocument, guestPath, plainDocument } from "./guest-document.ts";
import "./preview.css";

export function Preview() {
  const preview = useAppState((state) => state.preview);
  const hostName = useAppState((state) => state.machine.hostName ?? state.evaluation.result?.hostName);
  return (
    <div className="browser">
      <AddressBar host={hostName ?? "machine"} path={preview.path} status={preview.status} loading={preview.loading} />
      {preview.text === null ? <NoPage error={preview.error} loading={preview.loading} /> : <Frame />}
    </div>
  );
}

interface AddressBarProps {
  host: string;
  path: string;
  status: number | null;
  loading: boolean;
}

function AddressBar({ host, path, status, loading }: AddressBarProps) {
  const actions = useActions();
  const [typed, setTyped] = useState<string | null>(null);
  const go = (event: FormEvent): void => {
    event.preventDefault();
    void actions.openPreview(guestPath(typed ?? path, "/") ?? "/");
    setTyped(null);
  };
  return (
    <form className="address" onSubmit={go}>
      <IconButton
        label="Load the page again"
        icon="reload"
        size="small"
        className={loading ? "address-loading" : ""}
        onClick={() => void actions.openPreview(path)}
      />
      <label className="address-field" data-tip="A path, or :PORT/PATH for another port of the machine">
        <span className="address-host" aria-hidden="true">
          {host}
        </span>
        <span className="visually-hidden">Path on {host}, or :PORT/PATH for another port</span>
        <input
          value={typed ?? path}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setTyped(event.target.value)}
          onBlur={() => setTyped(null)}
        />
        {status !== null && <span className={`address-status ${status < 400 ? "" : "address-bad"}`}>{status}</span>}
      </label>
      <span className="address-note" data-tip="This page comes from the machine. Its scripts do not run here.">
        <Icon name="globe" size={15} />
      </span>
    </form>
  );
}

function Frame() {
  const actions = useActions();
  const { text, contentType, path } = useAppState((state) => state.preview);
  const hostName = useAppState((state) => state.machine.hostName);
  const [document, setDocument] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    const show = (html: string): void => {
      if (wanted) setDocument(html);
    };
    if (contentType === null || contentType.startsWith("text/html"))
      void guestDocument(text ?? "", path, (asset) => actions.fetchGuest(asset)).then(show);
    else show(plainDocument(text ?? ""));
    return () => {
      wanted = false;
    };
  }, [text, contentType, path, actions]);
  if (document === null) return <div className="browser-empty" />;
  return (
    <iframe
      title={`Web page of ${hostName ?? "the machine"}`}
      className="browser-frame"
      sandbox="allow-same-origin"
      srcDoc={document}
      onLoad={(event) => followLinks(event.currentTarget, path, (to) => void actions.openPreview(to))}
    />
  );
}

/** Presses inside the frame are handled out here: scripts do not run in it, but its events reach the page that owns it. */
function followLinks(frame: HTMLIFrameElement, at: string, open: (path: string) => void): void {
  frame.contentDocument?.addEventListener("click", (event) => {
    // The frame has its own Element class, so `instanceof` does not know it.
    const target = event.target as Element | null;
    const link = target?.closest?.("a[href]");
    if (!link) return;
    const address = link.getAttribute("href") ?? "";
    if (address.startsWith("#")) return;
    event.preventDefault();
    const path = guestPath(address, at);
    if (path !== null) open(path);
  });
}

function NoPage({ error, loading }: { error: string | null; loading: boolean }) {
  return (
    <output className="browser-empty">
      {loading ? (
        <p>Asking the machine…</p>
      ) : (
        <>
          <Icon name="globe" size={30} />
          <p className="browser-gone">{error ?? "No web page is configured."}</p>
        </>
      )}
    </output>
  );
}
