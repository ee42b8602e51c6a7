-- Requests of callers outside a turn.
local requests = {}

function requests.show(id, fresh)
  local row = call('HMGET', P .. 'request:' .. id, 'target', 'due', 'outcome', 'value')
  return { row[1], row[2] and tonumber(row[2]) - now, row[2], row[3], row[4], bit(fresh) }
end
