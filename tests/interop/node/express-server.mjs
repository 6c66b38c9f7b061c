// node express-server.mjs <options as JSON> - the Express application on a port of its own, which it prints.

import { createServer } from "node:http";
import { auth } from "express-openid-connect";
import { application } from "./express-app.mjs";

const server = createServer(application(auth, JSON.parse(process.argv[2])));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0)); // it lives as long as the test that started it
