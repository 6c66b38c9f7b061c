// next-auth 4: the whole of its AuthHandler, as its route handler calls it. A login is a sign-in with credentials whose
// `jwt` callback gives the token; an update is a call of the session endpoint, which encodes the token again.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { AuthHandler } = require("./node_modules/next-auth-v4/core/index.js");
const { toResponse } = require("./node_modules/next-auth-v4/next/utils.js");
const { getToken } = require("next-auth-v4/jwt");
const Credentials = require("next-auth-v4/providers/credentials").default;

const url = (secure, path) => `${secure ? "https" : "http"}://example.org/api/auth/${path}`;

async function ask(path, { options, cookies, session }, form) {
  const { secure = true, ...given } = options;
  process.env.NEXTAUTH_URL = url(secure, "").slice(0, -1);
  // Its check against cross-site requests: a token in the body, and a cookie with the token and its hash.
  const csrf = `csrf|${createHash("sha256").update(`csrf${given.secret}`).digest("hex")}`;
  const name = secure ? "__Host-next-auth.csrf-token" : "next-auth.csrf-token";
  const failures = [];
  const request = new Request(url(secure, path), {
    method: form ? "POST" : "GET",
    headers: { cookie: `${cookies ? `${cookies}; ` : ""}${name}=${csrf}` },
    ...(form ? { body: JSON.stringify({ csrfToken: "csrf" }) } : {}),
  });
  const answer = await AuthHandler({
    req: request,
    options: {
      useSecureCookies: secure,
      session: { strategy: "jwt" },
      providers: [Credentials({ credentials: {}, authorize: () => ({ id: "user-1" }) })],
      callbacks: { jwt: ({ token }) => session ?? token },
      logger: { error: (code, data) => failures.push(data?.error ?? data ?? code), warn() {}, debug() {} },
      ...given,
    },
  });
  if (failures.length) throw failures[0];
  return { setCookie: toResponse(answer).headers.getSetCookie() };
}

export async function read({ options, cookies }) {
  const { secure = true, secret } = options;
  const { parse } = require("cookie");
  const req = { headers: new Headers(), cookies: parse(cookies) };
  return { session: await getToken({ req, secret, secureCookie: secure }) };
}

export const login = (given) => ask("callback/credentials", given, true);

export const update = (given) => ask("session", given, false);

export const logout = (given) => ask("signout", given, true);
