-- The ledger: counts per scope.
local spending = {}
local COUNTS = { 'calls', 'saved', 'unknown', 'diverged', 'input_tokens', 'output_tokens', 'micros', 'unpriced' }

function spending.read()
  local entry = { scope = word() }
  for i = 1, #COUNTS do
    entry[i] = word()
  end
  return entry
end

function spending.add(entry)
  for i, name in ipairs(COUNTS) do
    if entry[i] ~= '0' then
      call('HINCRBY', P .. 'spend:' .. entry.scope, name, entry[i])
    end
  end
  call('SADD', P .. 'scopes', entry.scope)
  if string.sub(entry.scope, 1, 4) == 'run/' then
    call('ZADD', P .. 'run_scopes', int(now), entry.scope)
  end
end

function spending.show(scope)
  return call('HMGET', P .. 'spend:' .. scope, unpack(COUNTS))
end
