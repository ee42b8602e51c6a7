-- Processes: who lives, and the rows that belong to them.
local processes = {}

function processes.is_living(id)
  local row = call('HMGET', P .. 'process:' .. id, 'beat', 'left')
  return row[1] and not row[2]
end

-- Reads the caller's id and session; returns the id, or nil and the error that the call has to return.
-- A session that is older than one seen before is of a connection that was given up: what it sent comes too late.
function processes.caller()
  local id, session = word(), number()
  if not processes.is_living(id) then
    return nil, redis.error_reply('BURIED process ' .. id .. ' has been declared dead')
  end
  local seen = tonumber(call('HGET', P .. 'process:' .. id, 'session') or 0)
  if session < seen then
    return nil, redis.error_reply('OVERTAKEN by a later call of process ' .. id)
  end
  if session > seen then
    call('HSET', P .. 'process:' .. id, 'session', session)
  end
  return id
end

function processes.enter(groups, address)
  local id = draw('process')
  call('HSET', P .. 'process:' .. id, 'beat', 0, 'groups', '\0' .. table.concat(groups, '\0') .. '\0', 'address', address)
  call('SADD', P .. 'processes', id)
  return id
end

function processes.is_of(id, group)
  local groups = call('HGET', P .. 'process:' .. id, 'groups') or ''
  return string.find(groups, '\0' .. group .. '\0', 1, true) ~= nil
end

function processes.groups(id)
  local groups = {}
  for group in string.gmatch(call('HGET', P .. 'process:' .. id, 'groups'), '%Z+') do
    groups[#groups + 1] = group
  end
  return groups
end

function processes.erase(id)
  call('SREM', P .. 'processes', id)
  call('DEL', P .. 'process:' .. id, P .. 'mail:' .. id, P .. 'held:' .. id, P .. 'leased:' .. id, P .. 'owned:' .. id)
end
