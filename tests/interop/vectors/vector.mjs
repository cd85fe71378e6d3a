// Reading a vector's file (docs/vectors.md, section 1); what is not understood is not run.

const KNOWN = [
  "check", "expect", "now", "bundle", "policy", "challenge", "shown_before", "audience", "nonce",
  "anchors", "least_sequence", "result", "comment",
];
const POLICY_WORD = /^(?:(live_only|identity_only)|(fresh_for|stale_until)=([0-9]+)|(institutions|countries|types|levels|claims)=([A-Za-z0-9,]+))$/;

function readPolicy(text) {
  const policy = {};
  for (const word of text === undefined ? [] : text.split(" ")) {
    const found = POLICY_WORD.exec(word);
    if (found === null) throw new Error(`an unknown word of a policy: ${word}`);
    const [, flag, limit, seconds, list, items] = found;
    if (flag) policy[flag] = true;
    else if (limit) policy[limit] = Number(seconds);
    else policy[list] = new Set(items.split(","));
  }
  return policy;
}

export function readVector(data) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  const blank = text.indexOf("\n\n");
  if (blank < 0 || !text.endsWith("\n")) throw new Error("a header, an empty line, a payload");
  const headers = {};
  for (const line of text.slice(0, blank).split("\n")) {
    const colon = line.indexOf(": ");
    const key = line.slice(0, Math.max(colon, 0));
    if (!KNOWN.includes(key) || key in headers) throw new Error(`an unknown or repeated header: ${line}`);
    headers[key] = line.slice(colon + 2);
  }
  return {
    headers,
    payload: text.slice(blank + 2, -1),
    now: Number(headers.now),
    policy: readPolicy(headers.policy),
    anchors: (headers.anchors ?? "trust").split(" "),
    leastSequence: Number(headers.least_sequence ?? "0"),
  };
}
