local lane = word()
local row = call('HMGET', P .. 'agent:' .. lane, 'version', 'snapshot')
if not row[1] then
  return false
end
local events = {}
for i, event in ipairs(agents.events(lane)) do
  events[i] = event[2]
end
return { tonumber(row[1]), row[2], events }
