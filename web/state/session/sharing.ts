/** Links: making one of the open workspace, and opening one as a copy beside everything that was there. */
import type { WorkspaceRecord } from "#workers/api.ts";
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
  const copyOf = async ({ entry, files }: SharedWorkspace) =>
    (await workspaces.list()).find(
      (one) => one.kind === "copy" && one.entry === entry && JSON.stringify(one.files) === JSON.stringify(files),
    );

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
          (await copyOf(sent)) ?? (await workspaces.create(title, sent.files, sent.entry, { kind: "copy" }));
        await enter(record);
        page.setState({ opened: { ...empty, title, expected, generations } });
        await judge(expected, sent.channel);
      } catch (error) {
        const message = error instanceof LinkError ? error.message : messageOf(error);
        page.setState({ opened: { ...empty, status: "damaged", message } });
        notify(page, "damaged-link", "This link cannot be opened.", { detail: message });
      }
    },
  };
}
