// node serve.mjs <library> - one JSON request a line in, one JSON answer a line out.
//
// A request has `id`, `now` (seconds), `op`, `options` (the library's settings), `cookies` (a Cookie header) and, to
// write, `session` (JSON text). An answer has `id` and what the library gave: `session` (JSON text, or null for none)
// and `setCookie` (the Set-Cookie lines of its response); or `error`.
//
// Ops: `read` (may renew, where the library does so on reading), `login` (a new session), `update` (replace the
// contents of the current one), `logout`. Each library's module exports the ones it has, as functions of the request.

import { createInterface } from "node:readline";
import { Console } from "node:console";
import { setClock } from "./clock.mjs"; // before any library, which might keep a reference to Date

globalThis.console = new Console(process.stderr); // what a library prints must not mix with the answers
const library = await import(`./${process.argv[2]}.mjs`);

async function answer({ id, now, op, options, cookies, session }) {
  setClock(now);
  try {
    const given = session === undefined ? undefined : JSON.parse(session);
    const found = await library[op]({ options, cookies, session: given });
    const text = found.session === undefined || found.session === null ? null : JSON.stringify(found.session);
    return { id, session: text, setCookie: found.setCookie ?? [] };
  } catch (error) {
    return { id, error: `${error?.stack ?? error}` };
  }
}

// One at a time: the clock is everybody's.
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
process.exit(0);
