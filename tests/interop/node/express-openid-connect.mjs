import { auth } from "express-openid-connect";
import { operations } from "./express-app.mjs";

export const { read, login, update, logout } = operations(auth);
