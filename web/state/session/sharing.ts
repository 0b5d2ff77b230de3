/** Links: making one of the open workspace, and opening one as a copy beside everything that was there. */
import type { WorkspaceRecord } from "#workers/api.ts";
import { openLibrary } from "#workers/client.ts";
import type { OpenedLink } from "../model.ts";
import { decodeLink, encodeLink, LinkError, type SharedWorkspace } from "../share-link.ts";
import { type Context, messageOf, notify, patch } from "./context.ts";
import type { EvaluationService } from "./evaluation.ts";
import type { WorkspaceService } from "./workspaces.ts";

/** `enter` opens a workspace with a machine and generations of its own: nothing done in a copy reaches another workspace. */
export function createSharing(
  context: Context,
  workspaces: WorkspaceService,
  evaluation: EvaluationService,
  enter: (record: WorkspaceRecord) => Promise<void>,
) {
  const { page, channel } = context;
  const setOpened = (change: Partial<OpenedLink>) =>
    page.setState((state) => ({ opened: state.opened === null ? null : { ...state.opened, ...change } }));

  /** Evaluates the copy and says whether its store path is the one that was sent. */
  const judge = async (expected: string | null, sentChannel: string) => {
    const outcome = await evaluation.settled();
    if (outcome === null || !outcome.ok) {
      return setOpened({ status: "failed", message: outcome?.problems[0].message ?? "The evaluation was stopped." });
    }
    const reproduced = outcome.outPath === expected;
    const message =
      reproduced || sentChannel === channel ? null : "It was made with another version of the package channel.";
    setOpened({ status: reproduced ? "reproduced" : "differs", actual: outcome.outPath, message });
  };

  /** The copy that an earlier visit to the same link made. */
  const copyOf = async ({ entry, files, sources }: SharedWorkspace) =>
    (await workspaces.list()).find(
      (one) =>
        one.kind === "copy" &&
        one.entry === entry &&
        JSON.stringify([one.files, one.sources ?? []]) === JSON.stringify([files, sources]),
    );

  /** Says which package sets the link needs and this browser lacks. Nothing is downloaded: that takes a press. */
  const tellMissing = async ({ sources }: SharedWorkspace) => {
    if (sources.length === 0) return;
    const records = await openLibrary().then((library) => library.sourceRecords());
    const missing = sources.filter(({ narHash }) => !records.some((record) => record.narHash === narHash));
    if (missing.length === 0) return;
    const names = missing.map(({ name }) => `<${name}>`).join(" and ");
    notify(page, "info", `This link uses ${names}, which this browser does not have yet.`, {
      detail: "It is fetched or taken from a file only when you say so, and must have the hash that the link names.",
      command: { id: "panel-sources", label: "Get it" },
    });
  };

  return {
    async share() {
      patch(page, "share", { busy: true, error: null });
      const outcome = await evaluation.settled();
      const { workspace, generations } = page.getState();
      try {
        const expected = outcome?.ok ? outcome.outPath : null;
        const fragment = await encodeLink({
          title: workspace.title,
          entry: workspace.entry,
          files: workspace.files,
          sources: workspace.sources ?? [],
          channel,
          expected,
          generations: generations.list.map(({ label, number }) => label || `Generation ${number}`),
        });
        page.setState({
          share: { busy: false, url: location.href.replace(/#.*$/, "") + fragment, expected, error: null },
        });
      } catch (error) {
        page.setState({ share: { busy: false, url: null, expected: null, error: messageOf(error) } });
      }
    },
    async openLink(fragment: string) {
      const empty: OpenedLink = {
        status: "checking",
        title: "",
        expected: null,
        actual: null,
        message: null,
        generations: [],
      };
      try {
        const sent = await decodeLink(fragment);
        const { title, expected, generations } = sent;
        const record =
          (await copyOf(sent)) ??
          (await workspaces.create(title, sent.files, sent.entry, { kind: "copy", sources: sent.sources }));
        await enter(record);
        page.setState({ opened: { ...empty, title, expected, generations } });
        await tellMissing(sent).catch(() => undefined);
        await judge(expected, sent.channel);
      } catch (error) {
        const message = error instanceof LinkError ? error.message : messageOf(error);
        page.setState({ opened: { ...empty, status: "damaged", message } });
        notify(page, "damaged-link", "This link cannot be opened.", { detail: message });
      }
    },
  };
}
