/** The editor before Monaco: a text area over coloured text, in the same face and measure, so that the change is not seen. */
import { useLayoutEffect, useRef, type RefObject } from "react";
import { highlight } from "./highlight.ts";
import "./plain-editor.css";
import type { Diagnostic } from "#web/state/model.ts";

export interface PlainEditorProps {
  path: string;
  text: string;
  errors: Diagnostic[];
  change(text: string): void;
  focused?(): void;
  /** The text area, for whoever takes over from it. */
  area: RefObject<HTMLTextAreaElement | null>;
}

export function PlainEditor({ path, text, errors, change, focused, area }: PlainEditorProps) {
  const colours = useRef<HTMLPreElement>(null);
  const numbers = useRef<HTMLOListElement>(null);
  const follow = (): void => {
    const { scrollTop = 0, scrollLeft = 0 } = area.current ?? {};
    if (colours.current) colours.current.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
    if (numbers.current) numbers.current.style.transform = `translateY(${-scrollTop}px)`;
  };
  useLayoutEffect(follow);
  const bad = new Set(errors.map((error) => error.range.start.line));
  return (
    <div className="plain">
      <ol className="plain-numbers" ref={numbers} aria-hidden="true">
        {text.split("\n").map((_, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- lines have no other identity than their number
          <li key={index} className={bad.has(index + 1) ? "plain-bad" : undefined}>
            {index + 1}
          </li>
        ))}
      </ol>
      <div className="plain-page">
        <pre ref={colours} className="plain-colours" aria-hidden="true">
          {highlight(text).map((token, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- tokens are redrawn as a whole
            <span key={index} className={`code-${token.kind}`}>
              {token.text}
            </span>
          ))}
          {"\n"}
        </pre>
        <textarea
          ref={area}
          className="plain-area"
          aria-label={`Text of ${path}`}
          value={text}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          wrap="off"
          onChange={(event) => change(event.target.value)}
          onScroll={follow}
          onFocus={focused}
          onKeyDown={(event) => {
            if (event.key !== "Tab" || event.shiftKey || event.ctrlKey || event.altKey) return;
            event.preventDefault();
            document.execCommand("insertText", false, "  ");
          }}
        />
      </div>
    </div>
  );
}
