// Settings of the object service.
import Type from "typebox";
import { httpUrl } from "../../core/config/storage-settings.ts";
import { duration, list, longestTimer, section } from "../../../lib/setting.ts";

const cdnRule = Type.Object(
  {
    regexp: Type.String({ format: "regex", minLength: 1 }),
    baseUrl: Type.String({ ...httpUrl }),
  },
  { additionalProperties: false },
);

const objects = section("The object service.", {
  loopInterval: duration("5s", {
    max: longestTimer,
    description: "How often expired objects and abandoned uploads are removed.",
  }),
  cdn: list(cdnRule, [], {
    description:
      "Rules that replace the download URLs of objects: a list of regexp (matched against the name) and baseUrl (to which the key in the bucket is appended, without `objects/`). The first matching rule applies.",
  }),
});

export const settings = { objects };
