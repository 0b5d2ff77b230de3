/** The link: the whole workspace in the part of an address that never leaves the browser. */
import { useEffect, useRef } from "react";
import type { SourcePin } from "#workers/api.ts";
import { useAppState, usePage } from "#web/state/context.ts";
import { Button } from "#web/ui/button.tsx";
import { copyText } from "#web/ui/clipboard.ts";
import { Dialog } from "#web/ui/dialog.tsx";
import { Progress } from "#web/ui/parts.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import "./share-dialog.css";

const NONE: readonly SourcePin[] = [];

export function ShareDialog() {
  const { ui, actions } = usePage();
  const { busy, url, expected, error } = useAppState((state) => state.share);
  const sources = useAppState((state) => state.workspace.sources ?? NONE);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (url !== null) field.current?.select();
  }, [url]);
  return (
    <Dialog title="Share this machine" close={() => ui.setDialog(null)}>
      {busy && <Progress fraction={null} label="Making the link" />}
      {error !== null && <p className="share-error">{error}</p>}
      {url !== null && (
        <>
          <div className="share-row">
            <input ref={field} readOnly value={url} aria-label="Link" onFocus={(event) => event.target.select()} />
            <Button look="primary" icon="copy" onClick={(event) => void copyText(url, event.currentTarget)}>
              Copy
            </Button>
          </div>
          <p className="share-note">
            Your files are in the link itself ({url.length.toLocaleString("en")} characters). No server keeps them.
          </p>
          {sources.length > 0 && (
            <p className="share-note">
              Of {sources.map(({ name }) => `<${name}>`).join(", ")} it holds the hash, not the contents: whoever opens
              it
              {sources.every(({ url }) => url !== null) ? " can download it" : " needs the same archive"}.
            </p>
          )}
          {expected !== null && (
            <p className="share-note">
              Whoever opens it gets a copy of their own and sees whether it comes out the same:{" "}
              <StoreName path={expected} hash />
            </p>
          )}
        </>
      )}
      {!busy && url === null && (
        <Button look="primary" onClick={() => void actions.share()}>
          Make a link
        </Button>
      )}
    </Dialog>
  );
}
