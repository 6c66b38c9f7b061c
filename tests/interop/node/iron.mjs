// iron-session: getIronSession over a Node request and response.

import { IncomingMessage, ServerResponse } from "node:http";

export function operations(getIronSession) {
  async function open({ options, cookies }) {
    const req = new IncomingMessage(null);
    req.headers = cookies ? { cookie: cookies } : {};
    const res = new ServerResponse(req);
    return { iron: await getIronSession(req, res, options), res };
  }

  const lines = (res) => [res.getHeader("set-cookie") ?? []].flat();

  async function write(given) {
    const { iron, res } = await open(given);
    for (const key of Object.keys(iron)) delete iron[key];
    Object.assign(iron, given.session);
    await iron.save();
    return { setCookie: lines(res) };
  }

  return {
    async read(given) {
      const { iron } = await open(given);
      return { session: Object.keys(iron).length ? iron : null };
    },
    login: (given) => write({ ...given, cookies: "" }),
    update: write,
    async logout(given) {
      const { iron, res } = await open(given);
      iron.destroy();
      return { setCookie: lines(res) };
    },
  };
}
