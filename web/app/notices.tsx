/** Messages that belong to no panel, each with one thing to do about it, and the banner of an opened link. */
import { useEffect } from "react";
import { useActions, useAppState, usePage } from "#web/state/context.ts";
import type { Notice, OpenedLink } from "#web/state/model.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { Icon, type IconName } from "#web/ui/icon.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import { runCommand } from "./commands.ts";

const icons: Record<Notice["kind"], IconName> = {
  info: "about",
  success: "check",
  error: "warning",
  "other-tab": "copy",
  quota: "store",
  "missing-feature": "warning",
  "damaged-link": "share",
  update: "download",
  crash: "warning",
};

export function Notices() {
  const notices = useAppState((state) => state.notices);
  return (
    <output className="notices" aria-label="Messages">
      {notices.map((notice) => (
        <NoticeCard key={notice.id} notice={notice} />
      ))}
    </output>
  );
}

function NoticeCard({ notice }: { notice: Notice }) {
  const page = usePage();
  const { id, kind, text, detail, command, transient } = notice;
  useEffect(() => {
    if (!transient) return undefined;
    const timer = setTimeout(() => page.actions.dismissNotice(id), 5000);
    return () => clearTimeout(timer);
  }, [id, transient, page]);
  return (
    <div className={`notice notice-${kind}`}>
      <Icon name={icons[kind]} />
      <div className="notice-text">
        <p>{text}</p>
        {detail && <p className="muted">{detail}</p>}
        {command && (
          <Button size="small" onClick={() => runCommand(command.id, page)}>
            {command.label}
          </Button>
        )}
      </div>
      <IconButton label="Dismiss" icon="cross" size="small" onClick={() => page.actions.dismissNotice(id)} />
    </div>
  );
}

const verdicts: Record<OpenedLink["status"], string> = {
  checking: "Evaluating it here",
  reproduced: "Reproduced: the same store path",
  differs: "Not the same store path",
  damaged: "This link is damaged",
  failed: "It does not evaluate here",
};

/** Somebody else's work, opened from a link: a copy beside one's own, and whether it came out the same. */
export function OpenedBanner() {
  const opened = useAppState((state) => state.opened);
  const actions = useActions();
  if (!opened) return null;
  const { status, title, expected, actual, message, generations } = opened;
  const broken = status === "damaged";
  return (
    <aside className={`opened opened-${status}`} aria-live="polite">
      <span className="opened-mark" aria-hidden="true">
        <Icon name={status === "reproduced" ? "check" : status === "checking" ? "reload" : "warning"} size={18} />
      </span>
      <div className="opened-text">
        <p>
          <b>{verdicts[status]}</b>
          {status === "reproduced" && expected && <StoreName path={expected} hash />}
        </p>
        <p className="muted">
          {message ?? (broken ? "" : `“${title}” is a copy. Your own work is untouched.`)}
          {generations.length > 1 && ` Its generations: ${generations.join(", ")}.`}
          {status === "differs" && expected && actual && (
            <>
              {" "}
              Sent: <StoreName path={expected} hash /> here: <StoreName path={actual} hash />
            </>
          )}
        </p>
      </div>
      {!broken && (
        <Button size="small" look="primary" onClick={() => void actions.keepCopy()}>
          Keep it
        </Button>
      )}
      <Button size="small" onClick={() => void actions.discardCopy()}>
        Back to mine
      </Button>
    </aside>
  );
}
