// JSON Web Tokens: jose.

import {
  CompactSign,
  EncryptJWT,
  compactVerify,
  importJWK,
  importPKCS8,
  importSPKI,
  importX509,
  jwtDecrypt,
  jwtVerify,
} from "jose";

/** A key as jose takes it: {text}, {base64}, {jwk}, or {pem} with the algorithm. */
async function keyOf({ text, base64, jwk, pem }, alg) {
  if (text !== undefined) return new TextEncoder().encode(text);
  if (base64 !== undefined) return new Uint8Array(Buffer.from(base64, "base64"));
  if (jwk !== undefined) return importJWK(jwk, alg);
  if (pem.includes("PRIVATE KEY")) return importPKCS8(pem, alg);
  return pem.includes("CERTIFICATE") ? importX509(pem, alg) : importSPKI(pem, alg);
}

export const operations = {
  // `payload` is signed as its JSON, as it stands: times are not added.
  "jose.sign": async ({ payload, alg = "HS256", header = {}, key }) =>
    new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg, ...header })
      .sign(await keyOf(key, alg)),
  // {payload, header}; `now` is in Unix seconds.
  "jose.verify": async ({ text, alg = "HS256", key, now, options = {} }) => {
    const currentDate = now === undefined ? undefined : new Date(now * 1000);
    const { payload, protectedHeader } = await jwtVerify(text, await keyOf(key, alg), {
      algorithms: [alg],
      currentDate,
      ...options,
    });
    return { payload, header: protectedHeader };
  },
  // The payload in base64, whatever it is, with no look at times.
  "jose.verifyBytes": async ({ text, alg = "HS256", key }) => {
    const { payload } = await compactVerify(text, await keyOf(key, alg), { algorithms: [alg] });
    return Buffer.from(payload).toString("base64");
  },
  "jose.encrypt": async ({ payload, alg = "dir", enc = "A256GCM", header = {}, key }) =>
    new EncryptJWT(payload).setProtectedHeader({ alg, enc, ...header }).encrypt(await keyOf(key, alg)),
  "jose.decrypt": async ({ text, alg = "dir", key }) => {
    const { payload, protectedHeader } = await jwtDecrypt(text, await keyOf(key, alg));
    return { payload, header: protectedHeader };
  },
};
