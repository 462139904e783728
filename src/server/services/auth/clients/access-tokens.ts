// Access tokens: how they are made, and how they are encrypted in the database.
import { slugid } from "../../../../lib/slugid.ts";
import { contextOf } from "../../../core/encryption/encrypted-column.ts";
import { accessTokens } from "./sql/access-token-column.ts";

/** Returns what an encrypted token is bound to. */
export const tokenContext = (clientId: string): string => contextOf(accessTokens, clientId);

/** Returns a new token of 44 characters, with 244 random bits. */
export const newAccessToken = (): string => slugid() + slugid();
