-- Cycles of waiting turns (journal.md rule 11).

-- Whether the turns that `start` waits for, directly or through others, end at `target`.
CREATE FUNCTION leads_to(start bytea, target bytea) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    WITH RECURSIVE reach(lane, depth) AS (
        SELECT start, 0
        UNION
        SELECT w.callee, r.depth + 1 FROM reach r JOIN wait w ON w.caller = r.lane
        WHERE r.depth < 64 AND r.lane <> target
    ) SELECT EXISTS (SELECT FROM reach r WHERE r.lane = target)
$$;

-- Names the requests of this call whose callers are waited for by those they ask. A request at the head of its lane
-- holds nobody up. Of two calls that find one cycle the second waits for the first and looks again: the first has
-- cut the edge by then, so that exactly one is named.
CREATE FUNCTION closed_cycles(lanes bytea[], identities bytea[], callers bytea[]) RETURNS bytea[]
LANGUAGE plpgsql AS $$
DECLARE
    asked record;
    named bytea[] := '{}';
BEGIN
    FOR asked IN
        SELECT DISTINCT ON (u.lane, u.identity) u.lane, u.identity, u.caller
        FROM unnest(lanes, identities, callers) u(lane, identity, caller)
        JOIN lane l ON l.id = u.lane JOIN delivery d ON d.lane = u.lane AND d.identity = u.identity
        WHERE u.caller IS NOT NULL AND l.attempts > 0
            AND EXISTS (SELECT FROM delivery b WHERE b.lane = u.lane AND b.pos > l.done AND b.pos < d.pos)
    LOOP
        IF leads_to(asked.lane, asked.caller) THEN
            PERFORM pg_advisory_xact_lock(hashtext('agentopic cycles ' || current_schema()));
            IF leads_to(asked.lane, asked.caller) THEN
                DELETE FROM wait WHERE caller = asked.caller AND callee = asked.lane;
                named := named || asked.identity;
            END IF;
        END IF;
    END LOOP;
    RETURN named;
END $$;
