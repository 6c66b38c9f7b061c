import { getIronSession } from "iron-session-v9";
import { operations } from "./iron.mjs";

export const { read, login, update, logout } = operations(getIronSession);
