/**
 * A page of the guest made ready for the preview's frame: nothing in it runs, nothing in it asks the network. Styles and
 * pictures it refers to are fetched from the guest and put inside. The frame's sandbox and policy forbid scripts and
 * requests anyway; this makes the page look as it should without them.
 */
import type { GuestResponse } from "#web/state/model.ts";

export type FetchGuest = (path: string) => Promise<GuestResponse | null>;

/** The frame's own policy, inside the page's: styles and data only. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'";

/** What never gets into the frame. Links other than styles go because no policy stops `preconnect` from asking a name server. */
const unwanted = 'script, base, meta[http-equiv], iframe, object, embed, link:not([rel~="stylesheet"])';

const mostAssets = 24;
const mostBytes = 4_000_000;

/** The whole document as text for `srcdoc`. `at` is the page's own path, from which relative addresses count. */
export async function guestDocument(html: string, at: string, fetchGuest: FetchGuest): Promise<string> {
  const document = new DOMParser().parseFromString(html, "text/html");
  for (const each of document.querySelectorAll(unwanted)) each.remove();
  await embedAssets(document, at, fetchGuest);
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = policy;
  document.head.prepend(meta);
  return `<!doctype html>${document.documentElement.outerHTML}`;
}

async function embedAssets(document: Document, at: string, fetchGuest: FetchGuest): Promise<void> {
  const styles = [...document.querySelectorAll<HTMLLinkElement>('link[rel~="stylesheet"]')].slice(0, mostAssets);
  const pictures = [...document.querySelectorAll<HTMLImageElement>("img[src]")].slice(0, mostAssets);
  await Promise.all([
    ...styles.map(async (link) => {
      const found = await asset(link.getAttribute("href"), at, fetchGuest);
      const style = document.createElement("style");
      style.textContent = found ? new TextDecoder().decode(found.body) : "";
      link.replaceWith(style);
    }),
    ...pictures.map(async (image) => {
      const found = await asset(image.getAttribute("src"), at, fetchGuest);
      if (found) image.src = dataUrl(found);
      else if (!image.getAttribute("src")?.startsWith("data:")) image.removeAttribute("src");
      image.removeAttribute("srcset");
    }),
  ]);
}

async function asset(address: string | null, at: string, fetchGuest: FetchGuest): Promise<GuestResponse | null> {
  const path = address === null ? null : guestPath(address, at);
  const found = path === null ? null : await fetchGuest(path);
  return found && found.status === 200 && found.body.length <= mostBytes ? found : null;
}

function dataUrl({ contentType, body }: GuestResponse): string {
  let bytes = "";
  for (const byte of body) bytes += String.fromCharCode(byte);
  return `data:${contentType.split(";")[0] ?? "image/png"};base64,${btoa(bytes)}`;
}

const loopback = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Where an address in a guest's page leads: a path of the guest, or null when it leaves it. Both may begin with a port, `:8080/path`;
 * without one they mean the port that the configuration serves.
 */
export function guestPath(address: string, at: string): string | null {
  const typed = /^(:\d+)(.*)$/.exec(address);
  if (typed !== null) return guestPath(typed[2] || "/", `${typed[1]}/`);
  const [, port = "", path = "/"] = /^(:\d+)?(.*)$/.exec(at) ?? [];
  const base = `http://guest.invalid${path}`;
  if (!URL.canParse(address, base)) return null;
  const url = new URL(address, base);
  const place = url.pathname + url.search;
  if (url.origin === "http://guest.invalid") return port + place;
  return url.protocol === "http:" && loopback.includes(url.hostname) ? `:${url.port || 80}${place}` : null;
}

/** Text that is not HTML, as a page. */
export function plainDocument(text: string): string {
  const escaped = text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}"><pre style="font:13px/1.5 ui-monospace,monospace;white-space:pre-wrap;margin:16px">${escaped}</pre>`;
}
