/** Markdown of lessons and of the language's documentation, cleaned before it becomes markup. */
import DOMPurify from "dompurify";
import { marked } from "marked";
import "./markdown.css";

export default function Markdown({ text }: { text: string }) {
  const html = DOMPurify.sanitize(marked.parse(text, { async: false }), {
    FORBID_TAGS: ["style", "form", "input", "img"],
  });
  // oxlint-disable-next-line react/no-danger -- cleaned in the line above
  return <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />;
}
