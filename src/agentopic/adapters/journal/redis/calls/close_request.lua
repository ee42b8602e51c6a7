local me, refusal = processes.caller()
if refusal then
  return refusal
end
local id, outcome, value, keep = word(), word(), maybe(word), number()
local row = P .. 'request:' .. id
if call('EXISTS', row) == 0 then
  return { '', false, outcome, value, 0 }
end
if call('HSETNX', row, 'outcome', outcome) == 1 then
  if value then
    call('HSET', row, 'value', value)
  end
  call('ZREM', P .. 'requests_open', id)
  call('ZADD', P .. 'requests_closed', int(now + keep), id)
end
return requests.show(id, false)
