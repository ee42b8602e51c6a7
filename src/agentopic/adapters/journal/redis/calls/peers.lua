local me, refusal = processes.caller()
if refusal then
  return refusal
end
local found = {}
for _, id in ipairs(call('SMEMBERS', P .. 'processes')) do
  if id ~= me then
    local row = call('HMGET', P .. 'process:' .. id, 'beat', 'left')
    found[#found + 1] = { tonumber(id), tonumber(row[1]), bit(row[2]), processes.groups(id) }
  end
end
table.sort(found, function(one, other) return one[1] < other[1] end)
return found
