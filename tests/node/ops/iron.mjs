// Iron: @hapi/iron and iron-session.

import Iron from "@hapi/iron";
import { sealData, unsealData } from "iron-session";

/** A password as Iron takes it: text, {id, secret}, or bytes given as {base64}. */
function password(value) {
  if (value && typeof value === "object") {
    const changed = Object.entries(value).map(([key, item]) => [key, password(item)]);
    return "base64" in value ? Buffer.from(value.base64, "base64") : Object.fromEntries(changed);
  }
  return value;
}

function merged(options = {}) {
  return {
    ...Iron.defaults,
    ...options,
    encryption: { ...Iron.defaults.encryption, ...options.encryption },
    integrity: { ...Iron.defaults.integrity, ...options.integrity },
  };
}

export const operations = {
  // `options` are merged into Iron.defaults: {ttl (ms), encryption: {algorithm, iterations, ...}, ...}.
  "iron.seal": ({ data, options, ...request }) => Iron.seal(data, password(request.password), merged(options)),
  "iron.unseal": ({ text, options, ...request }) => Iron.unseal(text, password(request.password), merged(options)),
  // `password` is text, or an object of id to text; `ttl` is in seconds. The text is not percent-encoded.
  "ironSession.seal": ({ data, ttl, ...request }) => sealData(data, { password: request.password, ttl }),
  // {} where iron-session refuses the seal.
  "ironSession.unseal": ({ text, ttl, ...request }) => unsealData(text, { password: request.password, ttl }),
};
