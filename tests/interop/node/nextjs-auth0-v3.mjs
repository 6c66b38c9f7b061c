// nextjs-auth0 3: its public getSession, updateSession and handleLogout over a Node request and response (the Pages
// router's form). A login is what its callback handler does once the identity provider has answered: SessionCache.create.

import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { IncomingMessage, ServerResponse } from "node:http";
import { initAuth0 } from "nextjs-auth0-v3";
import { kept } from "./kept.mjs";
import { withStore } from "./memory.mjs";

const require = createRequire(import.meta.url);
const { configSingletonGetter } = require("./node_modules/nextjs-auth0-v3/dist/config.js");
const { SessionCache } = require("./node_modules/nextjs-auth0-v3/dist/session/index.js");

const instance = kept((options) => {
  const params = {
    baseURL: "https://example.org",
    issuerBaseURL: "https://idp.example.org",
    clientID: "client",
    clientSecret: "client-secret",
    ...withStore(options),
  };
  const genId = () => randomBytes(16).toString("hex");
  return { auth0: initAuth0(params), login: new SessionCache(configSingletonGetter(params, genId)) };
});

function exchange(cookies) {
  const req = new IncomingMessage(null);
  req.method = "GET";
  req.url = "/";
  req.headers = cookies ? { cookie: cookies } : {};
  return { req, res: new ServerResponse(req) };
}

const lines = (res) => res.getHeader("set-cookie") ?? [];

export async function read({ options, cookies }) {
  const { req, res } = exchange(cookies);
  const session = await instance(options).auth0.getSession(req, res);
  return { session, setCookie: lines(res) };
}

export async function login({ options, cookies, session }) {
  const { req, res } = exchange(cookies);
  await instance(options).login.create(req, res, session);
  return { setCookie: lines(res) };
}

export async function update({ options, cookies, session }) {
  const { req, res } = exchange(cookies);
  await instance(options).auth0.updateSession(req, res, session);
  return { setCookie: lines(res) };
}

export async function logout({ options, cookies }) {
  const { req, res } = exchange(cookies);
  await instance(options).login.delete(req, res);
  return { setCookie: lines(res) };
}
