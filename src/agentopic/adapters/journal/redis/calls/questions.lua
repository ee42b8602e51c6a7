local asked, found = {}, {}
for _, group in ipairs(list(word)) do
  asked[group] = true
end
for _, id in ipairs(call('ZRANGE', P .. 'questions', 0, -1)) do
  local turn, key = string.sub(id, 1, 16), string.sub(id, 17)
  local lane = lanes.get(call('HGET', P .. 'delivery:' .. turn, 'lane') or '')
  if not lane then
    call('ZREM', P .. 'questions', id) -- its turn has ended
  elseif asked[lane.group] then
    local step = steps.get(turn, key)
    found[#found + 1] = { lane.group, lane.key, turn, key, step.note or '', step.opened }
  end
end
return found
