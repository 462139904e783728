-- Content of objects that nobody can change: it is copied, or put together of parts, under a name of its own.

-- What the store knows the content by: of a finished object, or of an upload in parts.
alter table objects add column content_id text;
-- All names under which there may be content. One of them counts; the others are left by calls that failed.
alter table objects add column content_ids text[] not null default '{}';
