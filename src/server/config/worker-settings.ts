// Settings of the worker that the server's commands start.
import { count, path, section, text } from "../core/config/setting.ts";

const identifierPattern = "^[a-zA-Z0-9_-]{1,38}$";

export const worker = section("The worker that `taskyard worker` and `taskyard up` start.", {
  taskQueueId: text({
    preset: "local/default",
    pattern: "^[a-zA-Z0-9_-]{1,38}/[a-z]([-a-z0-9]{0,36}[a-z0-9])?$",
    expected: "a provisioner id, a slash and a worker type in lower case, such as local/default",
    description: "The queue whose tasks it runs.",
  }),
  workerGroup: text({
    preset: "local",
    pattern: identifierPattern,
    expected: "1 to 38 characters of A-Z a-z 0-9 _ -",
    description: "The group it belongs to, such as a region.",
  }),
  workerId: text({
    pattern: identifierPattern,
    expected: "1 to 38 characters of A-Z a-z 0-9 _ -",
    derived: "from the host's name",
    description: "Its name, unique in its group.",
  }),
  capacity: count({
    min: 1,
    max: 1000,
    derived: "the number of cores",
    description: "Tasks that it runs at once.",
  }),
  workDir: path({
    derived: "worker in the home folder",
    description: "Where tasks run and leave their files.",
  }),
});
