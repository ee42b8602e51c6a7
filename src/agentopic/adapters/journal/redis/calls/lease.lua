local me, refusal = processes.caller()
if refusal then
  return refusal
end
local group, places = word(), list(word)
local living = 0
for _, id in ipairs(call('SMEMBERS', P .. 'processes')) do
  if id == me or (processes.is_of(id, group) and processes.is_living(id)) then
    living = living + 1
  end
end
local share = math.ceil(#places / living)

local held, prefix = {}, marks.field(group, '')
for _, field in ipairs(call('SMEMBERS', P .. 'leased:' .. me)) do
  if string.sub(field, 1, #prefix) == prefix then
    held[field] = true
  end
end

local taken, count_taken = {}, 0
for i, place in ipairs(places) do
  if held[marks.field(group, place)] and count_taken < share then
    taken[i], count_taken = true, count_taken + 1
    held[marks.field(group, place)] = 'kept'
  end
end
for field, state in pairs(held) do
  if state ~= 'kept' then
    marks.release(me, field)
  end
end
for i, place in ipairs(places) do
  local field = marks.field(group, place)
  if count_taken < share and not held[field] and not call('HGET', P .. 'mark_owner', field) then
    taken[i], count_taken = true, count_taken + 1
    call('HSET', P .. 'mark_owner', field, me)
    call('SADD', P .. 'leased:' .. me, field)
  end
end

local leased = {}
for i, place in ipairs(places) do
  if taken[i] then
    leased[#leased + 1] = { i, tonumber(call('HGET', P .. 'mark_next', marks.field(group, place)) or nil) or false }
  end
end
return leased
