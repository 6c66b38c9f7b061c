import { getIronSession } from "iron-session-v8";
import { operations } from "./iron.mjs";

export const { read, login, update, logout } = operations(getIronSession);
