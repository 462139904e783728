// Settings of the identity service.
import { duration, section } from "../../../lib/setting.ts";

const identity = section("Tokens by which other systems recognize tasks.", {
  tokenLifetime: duration("15m", {
    min: "1m",
    max: "1h",
    description:
      "How long a token is valid, unless the credentials of the task, its claim or its deadline end earlier.",
  }),
  keyAge: duration("30d", {
    min: "1h",
    description:
      "The age at which the key that signs tokens is replaced. The next key is published 15 minutes before it signs, and the old one until its tokens have expired.",
  }),
});

export const settings = { identity };
