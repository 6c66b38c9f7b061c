// nextjs-auth0 4: Auth0Client's public getSession and updateSession over NextRequest and NextResponse. A login is what
// its callback handler does once the identity provider has answered, a logout what its logout handler does: both
// through the client's own session store.

import { NextRequest, NextResponse } from "next/server.js";
import { Auth0Client } from "nextjs-auth0-v4/server";
import { kept } from "./kept.mjs";

const client = kept(
  (options) =>
    new Auth0Client({
      domain: "idp.example.org",
      clientId: "client",
      clientSecret: "client-secret",
      appBaseUrl: "https://example.org",
      ...options,
    }),
);

function exchange(cookies) {
  const req = new NextRequest("https://example.org/", { headers: cookies ? { cookie: cookies } : {} });
  return { req, res: NextResponse.next() };
}

const lines = (res) => res.headers.getSetCookie();

export async function read({ options, cookies }) {
  return { session: await client(options).getSession(exchange(cookies).req) };
}

export async function login({ options, cookies, session }) {
  const { req, res } = exchange(cookies);
  await client(options).sessionStore.set(req.cookies, res.cookies, session);
  return { setCookie: lines(res) };
}

export async function update({ options, cookies, session }) {
  const { req, res } = exchange(cookies);
  await client(options).updateSession(req, res, session);
  return { setCookie: lines(res) };
}

export async function logout({ options, cookies }) {
  const { req, res } = exchange(cookies);
  await client(options).sessionStore.delete(req.cookies, res.cookies);
  return { setCookie: lines(res) };
}
