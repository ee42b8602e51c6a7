-- Outbox rows. A row is framed by the client: length of the address, address, content.
local rows = {}

function rows.frame(address, content)
  return struct.pack('>I4', #address) .. address .. content
end

function rows.add_to_process(owner, row)
  local id = draw('row')
  call('HSET', P .. 'rows', id, row)
  call('HSET', P .. 'row_owner', id, owner)
  call('SADD', P .. 'owned:' .. owner, id)
  return { tonumber(id), false, row }
end

function rows.add_to_lane(lane, row)
  local id = draw('row')
  call('HSET', P .. 'unsent:' .. lane.id, id, row)
  count('unsent', lane.group, 1)
  return { tonumber(id), lane.id, row }
end

local function by_id(one, other)
  return one[1] < other[1]
end

function rows.of_lane(lane)
  local found, flat = {}, call('HGETALL', P .. 'unsent:' .. lane)
  for i = 1, #flat, 2 do
    found[#found + 1] = { tonumber(flat[i]), lane, flat[i + 1] }
  end
  table.sort(found, by_id)
  return found
end

function rows.of_process(owner)
  local found = {}
  for _, id in ipairs(call('SMEMBERS', P .. 'owned:' .. owner)) do
    found[#found + 1] = { tonumber(id), false, call('HGET', P .. 'rows', id) }
  end
  table.sort(found, by_id)
  return found
end

function rows.hand_over(found, owner)
  for _, row in ipairs(found) do
    call('HSET', P .. 'row_owner', int(row[1]), owner)
    call('SADD', P .. 'owned:' .. owner, int(row[1]))
  end
end

-- Forgets an acknowledged row; `lane` is false for one of a process.
function rows.drop(id, lane)
  local owner = call('HGET', P .. 'row_owner', id)
  if owner then
    call('HDEL', P .. 'rows', id)
    call('HDEL', P .. 'row_owner', id)
    call('SREM', P .. 'owned:' .. owner, id)
  end
  if lane then
    count('unsent', lane.group, -call('HDEL', P .. 'unsent:' .. lane.id, id))
  end
end
