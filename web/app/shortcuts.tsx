/** The keys, in one list. */
import { useUi } from "#web/state/context.ts";
import { Dialog } from "#web/ui/dialog.tsx";
import { commands, onMac } from "./commands.ts";
import { keysText } from "./find-commands.ts";

const others: [string, string][] = [
  ["Control+K", "Commands"],
  ["Control+S", "Format the file"],
  ["F8", "Next error"],
  ["F2", "Rename a name"],
  ["F12", "Go to its definition"],
  ["Control+.", "Offer a repair"],
  ["Control+M", "Let Tab leave the editor"],
];

export function Shortcuts() {
  const ui = useUi();
  const listed = commands.flatMap(({ keys, title }): [string, string][] => (keys ? [[keys, title]] : []));
  return (
    <Dialog title="Keyboard" close={() => ui.setDialog(null)} width={460}>
      <dl className="shortcuts">
        {[...others, ...listed].map(([keys, title]) => (
          <div key={keys}>
            <dt>{title}</dt>
            <dd>
              <kbd>{keysText(keys, onMac())}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
