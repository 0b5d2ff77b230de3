// Runs inside the WebContainer: `node ask.mjs REQUEST`, one request to a port there; the answer is one line of JSON.
import { request } from "node:http";

const { port, method, path, headers, body } = JSON.parse(process.argv[2]);
const say = (answer) => console.log(`answer ${JSON.stringify(answer)}`);

const asking = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
  const parts = [];
  response.on("data", (part) => parts.push(part));
  response.on("end", () => {
    const names = response.rawHeaders.filter((_, index) => index % 2 === 0);
    say({
      status: response.statusCode,
      statusText: response.statusMessage,
      headers: names.map((name, index) => [name.toLowerCase(), response.rawHeaders[2 * index + 1]]),
      body: Buffer.concat(parts).toString("base64"),
    });
  });
});
asking.on("error", (error) => say({ error: error.message }));
asking.end(Buffer.from(body, "base64"));
