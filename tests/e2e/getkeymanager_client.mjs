// An SDK of the GetKeyManager kind: fetch, bodies streamed in chunks, the key in header and body together.
// Reads {url, key, calls: [{method, path, body?, headers?, text?}]} from stdin, writes [{status, type, text, told}] to
// stdout; `told` is what an SDK of this kind takes from the answer, with its own values for members that are absent.

async function* chunks(text) {
  for (let at = 0; at < text.length; at += 11) {
    yield new TextEncoder().encode(text.slice(at, at + 11));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function told(text) {
  const answer = JSON.parse(text);
  const { code = 0, message = null, success = false, valid = false, license, activation } = answer.data ?? answer;
  return {
    code,
    message,
    success,
    valid,
    status: license?.status ?? null,
    key: license?.license_key ?? null,
    expires: license?.expires_at ? Date.parse(license.expires_at) / 1000 : null,
    product: license?.product_name ?? null,
    features: Object.keys(license?.features ?? {}),
    activation: activation?.id ?? null,
    device: activation?.identifier ?? null,
    activated: activation?.activated_at ? Date.parse(activation.activated_at) / 1000 : null,
  };
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
  const received = await answer.text();
  return { status: answer.status, type: answer.headers.get("content-type"), text: received, told: told(received) };
}

let input = "";
for await (const part of process.stdin) input += part;
const script = JSON.parse(input);
const answers = [];
for (const one of script.calls) answers.push(await call(script, one));
process.stdout.write(JSON.stringify(answers));
