/**
 * github:, gitlab: and sourcehut: inputs: which commit a branch is at, and where its archive lies. Addresses are those that the forges
 * document; a reference's `host` replaces theirs.
 */
import type { FetchRequest } from "#engine/eval/io.ts";
import { StoreError } from "#engine/store/error.ts";
import { downloadInput } from "./download.ts";

type Options = FetchRequest["options"];

interface Forge {
  readonly host: string;
  /** The commit at a branch or tag ("HEAD" is the default branch). */
  commit(host: string, project: Project, ref: string): Promise<string | undefined>;
  archive(host: string, project: Project, rev: string): string;
}

interface Project {
  readonly owner: string;
  readonly repo: string;
}

async function jsonAt(url: string): Promise<unknown> {
  const { bytes } = await downloadInput(url);
  return JSON.parse(Buffer.from(bytes).toString()) as unknown;
}

const textAt = (json: unknown, name: string): string | undefined => {
  const value = typeof json === "object" && json !== null ? (json as Record<string, unknown>)[name] : undefined;
  return typeof value === "string" ? value : undefined;
};

const forges: Readonly<Record<string, Forge>> = {
  github: {
    host: "github.com",
    async commit(host, { owner, repo }, ref) {
      const api = host === "github.com" ? "https://api.github.com" : `https://${host}/api/v3`;
      return textAt(await jsonAt(`${api}/repos/${owner}/${repo}/commits/${ref}`), "sha");
    },
    archive: (host, { owner, repo }, rev) =>
      host === "github.com"
        ? `https://github.com/${owner}/${repo}/archive/${rev}.tar.gz`
        : `https://${host}/api/v3/repos/${owner}/${repo}/tarball/${rev}`,
  },
  gitlab: {
    host: "gitlab.com",
    async commit(host, { owner, repo }, ref) {
      const project = `${owner}%2F${repo}`;
      const found = await jsonAt(`https://${host}/api/v4/projects/${project}/repository/commits?ref_name=${ref}`);
      return Array.isArray(found) ? textAt(found[0], "id") : undefined;
    },
    archive: (host, { owner, repo }, rev) =>
      `https://${host}/api/v4/projects/${owner}%2F${repo}/repository/archive.tar.gz?sha=${rev}`,
  },
  sourcehut: {
    host: "git.sr.ht",
    async commit(host, { owner, repo }, ref) {
      const base = `https://${host}/${owner}/${repo}`;
      const text = async (url: string): Promise<string> => Buffer.from((await downloadInput(url)).bytes).toString();
      const head = ref === "HEAD" ? /^ref: (\S+)/.exec(await text(`${base}/HEAD`))?.[1] : undefined;
      const wanted = head ?? ref;
      const lines = (await text(`${base}/info/refs`)).split("\n").map((line) => line.split("\t"));
      const names = [wanted, `refs/heads/${wanted}`, `refs/tags/${wanted}`];
      return lines.find(([, name]) => name !== undefined && names.includes(name))?.[0];
    },
    archive: (host, { owner, repo }, rev) => `https://${host}/${owner}/${repo}/archive/${rev}.tar.gz`,
  },
};

export const FORGES: readonly string[] = Object.keys(forges);

/** The commit that an input means and its archive's address. @throws StoreError "network" */
export async function forgeArchive(options: Options): Promise<{ readonly rev: string; readonly url: string }> {
  const forge = forges[String(options["type"])]!;
  const host = typeof options["host"] === "string" ? options["host"] : forge.host;
  const project = { owner: String(options["owner"]), repo: String(options["repo"]) };
  const given = options["rev"];
  const rev = typeof given === "string" ? given : await forge.commit(host, project, String(options["ref"] ?? "HEAD"));
  if (rev === undefined || !/^[0-9a-f]{40}$/.test(rev)) {
    throw new StoreError("network", `there is no commit at '${String(options["ref"] ?? "HEAD")}' of this repository`);
  }
  return { rev, url: forge.archive(host, project, rev) };
}
