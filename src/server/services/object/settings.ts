// Settings of the object service.
import Type from "typebox";
import { httpUrl } from "../../core/config/storage-settings.ts";
import { list, section } from "../../../lib/setting.ts";

const cdnRule = Type.Object(
  {
    regexp: Type.String({ format: "regex", minLength: 1 }),
    baseUrl: Type.String({ ...httpUrl }),
  },
  { additionalProperties: false },
);

const objects = section("The object service.", {
  cdn: list(cdnRule, [], {
    description:
      "Download URLs of some objects lead elsewhere: a list of regexp (on the name) and baseUrl (the key in the bucket is appended, without its `objects/`). The first that matches counts.",
  }),
});

export const settings = { objects };
