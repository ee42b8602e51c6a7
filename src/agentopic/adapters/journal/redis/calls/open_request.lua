local me, refusal = processes.caller()
if refusal then
  return refusal
end
local id, target, seconds = word(), word(), maybe(number)
local fresh = call('EXISTS', P .. 'request:' .. id) == 0
if fresh then
  call('HSET', P .. 'request:' .. id, 'target', target)
  if seconds then
    call('HSET', P .. 'request:' .. id, 'due', int(now + seconds))
  end
  call('ZADD', P .. 'requests_open', int(now + math.max(0, seconds or 0)), id)
end
return requests.show(id, fresh)
