-- Readers look up the events of transactions that were in progress at their last read. Without this index, the plan for the
-- events of clients and roles may walk all of these for each such transaction.
create index events_of_auth_by_transaction on events (xid, id) where exchange like 'exchange/taskcluster-auth/%';
