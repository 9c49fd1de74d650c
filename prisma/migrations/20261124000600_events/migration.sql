-- Events get their ids in the order in which they are committed: whoever inserts some holds this lock until it commits,
-- so that "after this id" misses none. docs/adr/0014-events-in-the-order-of-commits.md
CREATE FUNCTION "order_tag_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7869004, 0);
  RETURN NULL;
END
$$;

CREATE TRIGGER "tag_event_order" BEFORE INSERT ON "tag_event"
  FOR EACH STATEMENT EXECUTE FUNCTION "order_tag_events"();

-- Those who listen are told of the last of them, once for each statement.
CREATE FUNCTION "tell_tag_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('stowage_tag_event', max(id)::text) FROM written HAVING count(*) > 0;
  RETURN NULL;
END
$$;

CREATE TRIGGER "tag_event_tell" AFTER INSERT ON "tag_event"
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION "tell_tag_events"();

CREATE FUNCTION "tell_sync_run"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('stowage_sync_run', OLD.id::text);
  RETURN NULL;
END
$$;

CREATE TRIGGER "sync_run_tell" AFTER UPDATE OR DELETE ON "sync_run"
  FOR EACH ROW EXECUTE FUNCTION "tell_sync_run"();
