// A request to a Node request listener, over a socket, as a browser would make it.

import http from "node:http";

/** The answer of `listener` to GET / with a Cookie header: its JSON body and its cookies by name. */
export async function ask(listener, cookie) {
  const server = http.createServer(listener);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await get(server.address().port, cookie);
  } finally {
    server.close();
  }
}

function get(port, cookie) {
  const options = { port, host: "127.0.0.1", agent: false, headers: cookie ? { cookie } : {} };
  return new Promise((resolve, reject) => {
    const request = http.get(options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (body += chunk));
      response.on("end", () => {
        const cookies = setCookies(response.headers["set-cookie"]);
        if (response.statusCode === 200) resolve({ body: JSON.parse(body), cookies });
        else reject(new Error(`status ${response.statusCode}: ${body}`));
      });
    });
    request.on("error", reject);
  });
}

/** Set-Cookie headers as an object of name to raw value. */
export function setCookies(headers) {
  const pairs = [headers ?? []].flat().map((header) => header.split(";", 1)[0]);
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}
