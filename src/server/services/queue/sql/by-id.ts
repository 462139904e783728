// States and counts as values, for statements that find their rows by id.
//
// The indexes of pending and of running runs are small, and look empty to a planner that last counted when they were.
// Then `task_id = … and state = 'running'` means to it reading that whole index and looking for the id there: 45 ms
// for a report that takes 2, while 8,000 runs were running, until the next `analyze`. A parameter hides from it that
// such an index would do.

export const PENDING = "pending";
export const RUNNING = "running";
/** Of the task's runs: there is an index of the tasks that have none. */
export const NO_RUNS = 0;
