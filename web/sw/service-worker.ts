/**
 * The service worker: keeps the whole page for offline use, and of the package cache what was fetched once, and gives every response
 * the headers of headers.json, so that workers obey their Content-Security-Policy on hosts that send none. Its list of files is put
 * in by the build.
 */
import rules from "../../headers.json";

interface WorkerScope extends EventTarget {
  readonly __WB_MANIFEST: readonly { readonly url: string; readonly revision: string | null }[];
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
}
interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const scope = globalThis as unknown as WorkerScope;
/** Each file once: a cache refuses a list that names one twice, and the manifest's icon is also among the files. */
const manifest = [...new Map(self.__WB_MANIFEST.map((file) => [file.url, file])).values()];
const patterns = rules.map((rule) => ({ path: new RegExp(rule.path), headers: Object.entries(rule.headers) }));
/** One cache a build: its name changes when any file does. */
const cacheName = `terrarium-${hash(manifest.map((file) => `${file.url}@${file.revision}`).join("\n"))}`;

/** The package cache's own address, and what is kept of it from build to build. */
const packages = new URL("cache/", scope.registration.scope).href;
const packagesName = "terrarium-packages";

declare const self: WorkerScope;

scope.addEventListener("install", (event) => {
  (event as LifeEvent).waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(manifest.map(requestFor)))
      .then(() => scope.skipWaiting()),
  );
});

scope.addEventListener("activate", (event) => {
  (event as LifeEvent).waitUntil(removeOldCaches().then(() => scope.clients.claim()));
});

scope.addEventListener("fetch", (event) => {
  const { request, respondWith } = fetchEvent(event);
  const url = new URL(request.url);
  if (request.method !== "GET" || !request.url.startsWith(scope.registration.scope)) return;
  respondWith(answer(request, url));
});

/** A name with its content's hash is what it was: the browser's own cache will do. Others are asked for anew. */
const requestFor = ({ url, revision }: { url: string; revision: string | null }): Request =>
  new Request(url, { cache: revision === null ? "default" : "no-cache" });

function fetchEvent(event: Event) {
  const given = event as FetchEvent;
  return { request: given.request, respondWith: (response: Promise<Response>) => given.respondWith(response) };
}

async function removeOldCaches(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("terrarium-") && name !== cacheName && name !== packagesName);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function answer(request: Request, url: URL): Promise<Response> {
  const cache = await caches.open(cacheName);
  const key = url.pathname.endsWith("/") ? new URL("index.html", url).href : url.href.replace(/[?#].*$/, "");
  const response =
    (await cache.match(key)) ?? (key.startsWith(packages) ? await keptPackage(request) : await fetch(request));
  return withHeaders(response, url.pathname);
}

/** A file of the package cache. Archives are named by their hash; the list of paths and what it names changes with a new build. */
async function keptPackage(request: Request): Promise<Response> {
  const cache = await caches.open(packagesName);
  if (request.url.includes("/cache/nar/")) {
    const kept = await cache.match(request);
    if (kept !== undefined) return kept;
  }
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept === undefined) throw error;
    return kept;
  }
}

function withHeaders(response: Response, pathname: string): Response {
  if (response.status === 0 || response.redirected) return response;
  const headers = new Headers(response.headers);
  // The body is already decoded; a stale encoding or length would contradict it.
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  for (const { path, headers: added } of patterns) {
    if (path.test(pathname)) for (const [name, value] of added) headers.set(name, value);
  }
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** FNV-1a over UTF-16 units: only has to differ between builds. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return (value >>> 0).toString(16);
}
