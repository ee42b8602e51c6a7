-- Forgets one portion; returns the horizon, for the next portion, and how much it looked at.
local horizon, portion = maybe(number), number()
local age = number()
horizon = horizon or now - age
local looked = 0

local function past(set, limit)
  local found = call('ZRANGEBYSCORE', P .. set, '-inf', int(limit), 'LIMIT', 0, portion)
  looked = math.max(looked, #found)
  return found
end

-- What an unfinished delivery needs is looked at again a horizon later.
local function is_needed(set, turn)
  if call('EXISTS', P .. 'delivery:' .. turn) == 0 then
    call('ZREM', P .. set, turn)
    return false
  end
  call('ZADD', P .. set, int(math.max(now, horizon + 1)), turn)
  return true
end

for _, identity in ipairs(past('seen', horizon)) do
  is_needed('seen', identity)
end
for _, turn in ipairs(past('turns', horizon)) do
  if not is_needed('turns', turn) then
    call('DEL', P .. 'steps:' .. turn, P .. 'results:' .. turn)
  end
end
for _, request in ipairs(past('answers', now)) do
  call('ZREM', P .. 'answers', request)
  call('DEL', P .. 'answer:' .. request)
end
for set, limit in pairs({ requests_open = horizon, requests_closed = now }) do
  for _, request in ipairs(past(set, limit)) do
    call('ZREM', P .. set, request)
    call('DEL', P .. 'request:' .. request)
  end
end
for _, scope in ipairs(past('run_scopes', horizon)) do
  call('ZREM', P .. 'run_scopes', scope)
  call('SREM', P .. 'scopes', scope)
  call('DEL', P .. 'spend:' .. scope)
end
call('ZREMRANGEBYSCORE', P .. 'cancelled_runs', '-inf', int(now - number()))
return { int(horizon), looked }
