// An SDK of the GetKeyManager kind: fetch, bodies streamed in chunks, the key in header and body together.
// Reads {url, key, calls: [{method, path, body?, headers?, text?}]} from stdin, writes [{status, type, text}] to stdout.

async function* chunks(text) {
  for (let at = 0; at < text.length; at += 11) {
    yield new TextEncoder().encode(text.slice(at, at + 11));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function call({ url, key }, { method, path, body, headers, text }) {
  const request = {
    method,
    headers: { Accept: "application/json", Authorization: `Bearer ${key}`, ...headers },
  };
  if (method === "POST") {
    request.headers["Content-Type"] = "application/json";
    request.body = ReadableStream.from(chunks(text ?? JSON.stringify({ api_key: key, ...body })));
    request.duplex = "half";
  }
  const answer = await fetch(url + path, request);
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
}

let input = "";
for await (const part of process.stdin) input += part;
const script = JSON.parse(input);
const answers = [];
for (const one of script.calls) answers.push(await call(script, one));
process.stdout.write(JSON.stringify(answers));
