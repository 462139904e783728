/** The numbers of workers in the reply about a pool that has none. */
export const noWorkers = {
  currentCapacity: 0,
  requestedCount: 0,
  runningCount: 0,
  stoppingCount: 0,
  stoppedCount: 0,
  requestedCapacity: 0,
  runningCapacity: 0,
  stoppingCapacity: 0,
  stoppedCapacity: 0,
};
