// An Express application whose session is express-openid-connect's, and requests to it over a socket.

import { createServer, request } from "node:http";
import express from "express";
import { kept } from "./kept.mjs";
import { withStore } from "./memory.mjs";

export function application(auth, options) {
  const app = express();
  app.use(
    auth({
      authRequired: false,
      baseURL: "https://example.org",
      issuerBaseURL: "https://idp.example.org",
      clientID: "client",
      ...withStore(options),
    }),
  );
  const name = options.session?.name ?? "appSession";
  app.get("/", (req, res) => res.json(req[name]));
  app.put("/", express.text({ type: () => true, limit: "1mb" }), (req, res) => {
    // The library refuses a reassigned session: its contents are replaced.
    for (const key of Object.keys(req[name])) delete req[name][key];
    Object.assign(req[name], JSON.parse(req.body));
    res.json(req[name]);
  });
  app.post("/turn/:number/:size", (req, res) => {
    const turns = req[name].turns.map((turn) => ({ ...turn, note: "" })); // only the last turn keeps its long note
    req[name].turns = [...turns, { by: "express", number: Number(req.params.number), note: "é".repeat(Number(req.params.size)) }];
    res.json(req[name]);
  });
  app.delete("/", (req, res) => {
    req[name] = undefined;
    res.json({});
  });
  return app;
}

function listening(app) {
  return new Promise((resolve) => {
    const server = createServer(app).listen(0, "127.0.0.1", () => resolve(server.address().port));
  });
}

export function operations(auth) {
  const port = kept((options) => listening(application(auth, options)));

  async function call(method, { options, cookies, session }) {
    const headers = { "x-forwarded-proto": "https", ...(cookies ? { cookie: cookies } : {}) };
    const at = { host: "127.0.0.1", port: await port(options), method, path: "/", headers };
    return new Promise((resolve, reject) => {
      const sent = request(at, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text) => (body += text));
        response.on("end", () => {
          if (response.statusCode !== 200) return reject(new Error(`${response.statusCode} ${body}`));
          // Whoever has no session has an empty one, in this library.
          const found = JSON.parse(body);
          resolve({ session: Object.keys(found).length ? found : null, setCookie: response.headers["set-cookie"] ?? [] });
        });
      });
      sent.on("error", reject);
      sent.end(session === undefined ? undefined : JSON.stringify(session));
    });
  }

  return {
    read: (given) => call("GET", given),
    login: (given) => call("PUT", { ...given, cookies: "" }),
    update: (given) => call("PUT", given),
    logout: (given) => call("DELETE", given),
  };
}
