// Auth.js 5 (@auth/core): the whole of Auth(request, config). A login is a sign-in with credentials whose `jwt`
// callback gives the token; an update is a call of the session endpoint, which encodes the token again.

import { Auth, skipCSRFCheck } from "@auth/core";
import { getToken } from "@auth/core/jwt";
import Credentials from "@auth/core/providers/credentials";

const url = (secure, path) => `${secure ? "https" : "http"}://example.org/auth/${path}`;

async function ask(path, { options, cookies, session }, init = {}) {
  const { secure = true, ...given } = options;
  const headers = { ...(cookies ? { cookie: cookies } : {}), ...(init.body ? { "content-type": "application/x-www-form-urlencoded" } : {}) };
  const failures = [];
  const response = await Auth(new Request(url(secure, path), { ...init, headers }), {
    basePath: "/auth",
    trustHost: true,
    skipCSRFCheck,
    session: { strategy: "jwt" },
    providers: [Credentials({ credentials: {}, authorize: () => ({ id: "user-1" }) })],
    callbacks: { jwt: ({ token }) => session ?? token },
    logger: { error: (error) => failures.push(error), warn() {}, debug() {} },
    ...given,
  });
  if (failures.length) throw failures[0].cause?.err ?? failures[0];
  return { setCookie: response.headers.getSetCookie() };
}

export async function read({ options, cookies }) {
  const { secure = true, secret } = options;
  // What getToken uses: SessionStore joins the chunks, decode opens them. It gives null for a token it refuses.
  const req = new Request(url(secure, "session"), { headers: cookies ? { cookie: cookies } : {} });
  return { session: await getToken({ req, secret, secureCookie: secure }) };
}

export const login = (given) => ask("callback/credentials", given, { method: "POST", body: "a=b" });

export const update = (given) => ask("session", given);

export const logout = (given) => ask("signout", given, { method: "POST", body: "a=b" });
