// Every command, in the order of the help.
import {
  clientCreateCommand,
  clientDeleteCommand,
  clientDisableCommand,
  clientEnableCommand,
  clientResetCommand,
  clientUpdateCommand,
} from "./auth/change-client.ts";
import { clientListCommand, clientShowCommand } from "./auth/clients.ts";
import { explainCommand } from "./auth/explain.ts";
import { historyCommand } from "./auth/history.ts";
import { previewCommand } from "./auth/preview.ts";
import {
  roleCreateCommand,
  roleDeleteCommand,
  roleListCommand,
  roleShowCommand,
  roleUpdateCommand,
} from "./auth/roles.ts";
import { expandCommand, scopesCommand } from "./auth/scopes.ts";
import { callCommand } from "./call.ts";
import type { Command } from "./command.ts";
import { applyCommand } from "./deployment/apply.ts";
import { exportCommand } from "./deployment/export.ts";
import { encryptionRotateCommand } from "./encryption/rotate.ts";
import { envCommand } from "./env.ts";
import { graphRunCommand } from "./graph/run.ts";
import { graphTimelineCommand } from "./graph/timeline.ts";
import { graphWatchCommand, groupWatchCommand } from "./graph/watch.ts";
import { groupCancelCommand } from "./group/cancel.ts";
import { groupListCommand } from "./group/list.ts";
import { groupPriorityCommand } from "./group/priority.ts";
import { groupSealCommand } from "./group/seal.ts";
import { groupStatusCommand } from "./group/status.ts";
import { indexArtifactCommand } from "./index/artifact.ts";
import { indexDeleteCommand } from "./index/delete.ts";
import { indexFindCommand } from "./index/find.ts";
import { indexInsertCommand } from "./index/insert.ts";
import { indexListCommand } from "./index/list.ts";
import { pingCommand } from "./ping.ts";
import { poolCreateCommand, poolUpdateCommand } from "./pool/change-pool.ts";
import {
  poolWorkerCreateCommand,
  poolWorkerRemoveCommand,
  poolWorkerUpdateCommand,
} from "./pool/change-worker.ts";
import { poolErrorsCommand, poolErrorStatsCommand } from "./pool/errors.ts";
import { poolLaunchConfigsCommand } from "./pool/launch-configs.ts";
import { poolDeleteCommand, poolListCommand, poolProvidersCommand, poolShowCommand } from "./pool/pools.ts";
import { poolSecretRemoveCommand, poolSecretRotateCommand, poolSecretSetCommand } from "./pool/secrets.ts";
import { poolWorkerListCommand, poolWorkerShowCommand } from "./pool/workers.ts";
import { purgeListCommand, purgeRequestCommand } from "./purge-cache/purge-cache.ts";
import { queueListCommand } from "./queue/list.ts";
import { quarantineCommand, releaseCommand } from "./queue/quarantine.ts";
import { queueClaimedCommand, queuePendingCommand } from "./queue/tasks.ts";
import { queueWorkersCommand } from "./queue/workers.ts";
import { runCommand } from "./run/run.ts";
import {
  secretGetCommand,
  secretListCommand,
  secretRemoveCommand,
  secretSetCommand,
} from "./secret/secrets.ts";
import { serveCommand } from "./serve.ts";
import { artifactsCommand } from "./task/artifacts.ts";
import { cancelCommand } from "./task/cancel.ts";
import { createCommand } from "./task/create.ts";
import { downloadCommand } from "./task/download.ts";
import { taskListCommand } from "./task/list.ts";
import { logCommand } from "./task/log.ts";
import { taskPriorityCommand } from "./task/priority.ts";
import { rerunCommand } from "./task/rerun.ts";
import { statusCommand } from "./task/status.ts";
import { waitCommand } from "./task/wait.ts";
import { whyCommand } from "./task/why.ts";
import { upCommand } from "./up.ts";
import { versionCommand } from "./version.ts";
import { workerCommand } from "./worker/worker.ts";

export const commands: readonly Command[] = [
  upCommand,
  runCommand,
  createCommand,
  taskListCommand,
  statusCommand,
  whyCommand,
  logCommand,
  waitCommand,
  artifactsCommand,
  downloadCommand,
  cancelCommand,
  rerunCommand,
  taskPriorityCommand,
  graphRunCommand,
  graphWatchCommand,
  graphTimelineCommand,
  groupListCommand,
  groupStatusCommand,
  groupWatchCommand,
  groupSealCommand,
  groupCancelCommand,
  groupPriorityCommand,
  queueListCommand,
  queuePendingCommand,
  queueClaimedCommand,
  queueWorkersCommand,
  quarantineCommand,
  releaseCommand,
  poolListCommand,
  poolShowCommand,
  poolCreateCommand,
  poolUpdateCommand,
  poolDeleteCommand,
  poolProvidersCommand,
  poolLaunchConfigsCommand,
  poolErrorsCommand,
  poolErrorStatsCommand,
  poolSecretSetCommand,
  poolSecretRotateCommand,
  poolSecretRemoveCommand,
  poolWorkerListCommand,
  poolWorkerShowCommand,
  poolWorkerCreateCommand,
  poolWorkerUpdateCommand,
  poolWorkerRemoveCommand,
  indexFindCommand,
  indexListCommand,
  indexInsertCommand,
  indexDeleteCommand,
  indexArtifactCommand,
  scopesCommand,
  explainCommand,
  previewCommand,
  expandCommand,
  historyCommand,
  clientListCommand,
  clientShowCommand,
  clientCreateCommand,
  clientUpdateCommand,
  clientEnableCommand,
  clientDisableCommand,
  clientDeleteCommand,
  clientResetCommand,
  roleListCommand,
  roleShowCommand,
  roleCreateCommand,
  roleUpdateCommand,
  roleDeleteCommand,
  secretListCommand,
  secretGetCommand,
  secretSetCommand,
  secretRemoveCommand,
  purgeListCommand,
  purgeRequestCommand,
  callCommand,
  applyCommand,
  exportCommand,
  workerCommand,
  serveCommand,
  encryptionRotateCommand,
  envCommand,
  pingCommand,
  versionCommand,
];
