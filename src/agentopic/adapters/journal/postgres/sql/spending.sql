-- Spending: counts are added, in the order of their scopes, so that two that add to the same never wait crosswise.
-- `counts` holds eight numbers per entry; entries that belong to a number of `without` are left out.

CREATE FUNCTION add_spend(without bigint[], ords integer[], scopes text[], counts bigint[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO spend AS p (
        scope, calls, saved, unknown, diverged, input_tokens, output_tokens, micros, unpriced, at
    )
    SELECT u.scope, sum(counts[u.n * 8 - 7]), sum(counts[u.n * 8 - 6]), sum(counts[u.n * 8 - 5]),
        sum(counts[u.n * 8 - 4]), sum(counts[u.n * 8 - 3]), sum(counts[u.n * 8 - 2]), sum(counts[u.n * 8 - 1]),
        sum(counts[u.n * 8]), now()
    FROM unnest(ords, scopes) WITH ORDINALITY u(ord, scope, n)
    WHERE u.ord <> ALL (without) GROUP BY u.scope ORDER BY u.scope
    ON CONFLICT (scope) DO UPDATE SET
        calls = p.calls + excluded.calls, saved = p.saved + excluded.saved, unknown = p.unknown + excluded.unknown,
        diverged = p.diverged + excluded.diverged, input_tokens = p.input_tokens + excluded.input_tokens,
        output_tokens = p.output_tokens + excluded.output_tokens, micros = p.micros + excluded.micros,
        unpriced = p.unpriced + excluded.unpriced, at = excluded.at
$$;

CREATE FUNCTION spend(me bigint, ords integer[], scopes text[], counts bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM alive(me);
    PERFORM add_spend('{}', ords, scopes, counts);
END $$;
