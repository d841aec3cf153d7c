// Auth.js (@auth/core) and NextAuth 4: the session token.

import { decode, encode } from "@auth/core/jwt";
import nextAuth from "next-auth/jwt";

export const operations = {
  // `salt` is the cookie's name, `secret` one text or a list, `maxAge` in seconds.
  "authjs.encode": ({ token, secret, salt, maxAge }) => encode({ token, secret, salt, maxAge }),
  "authjs.decode": ({ text, secret, salt }) => decode({ token: text, secret, salt }),
  "nextAuth.encode": ({ token, secret, salt, maxAge }) => nextAuth.encode({ token, secret, salt, maxAge }),
  "nextAuth.decode": ({ text, secret, salt }) => nextAuth.decode({ token: text, secret, salt }),
};
