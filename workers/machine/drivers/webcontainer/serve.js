// Runs inside the WebContainer: `node serve.mjs PORT FOLDER`, a web server for files that says what busybox' httpd says.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";

const [port, folder] = process.argv.slice(2);
const types = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".txt": "text/plain",
};

if (!existsSync(folder) || !statSync(folder).isDirectory()) {
  console.log(`httpd: can't change directory to '${folder}': No such file or directory`);
  process.exit(1);
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const wanted = path.join(folder, path.normalize(decodeURIComponent(pathname)));
  const file = existsSync(wanted) && statSync(wanted).isDirectory() ? path.join(wanted, "index.html") : wanted;
  if (!existsSync(file)) {
    response.writeHead(404, { "Content-Type": "text/html" });
    return response.end("<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD><BODY><H1>404 Not Found</H1></BODY></HTML>\n");
  }
  response.writeHead(200, { "Content-Type": types[path.extname(file)] ?? "application/octet-stream" });
  createReadStream(file).pipe(response);
});
server.on("error", (error) => {
  console.log(`httpd: bind: ${error.message}`);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
