-- Which of the texts the unfinished deliveries of some lanes, or the results of their steps, contain.
local texts, found, is_found = list(word), {}, {}

local function look(value)
  for i, text in ipairs(texts) do
    if not is_found[i] and string.find(value, text, 1, true) then
      found[#found + 1], is_found[i] = text, true
    end
  end
end

for _, lane in ipairs(list(word)) do
  for _, identity in ipairs(call('ZRANGE', P .. 'queue:' .. lane, 0, -1)) do
    look(call('HGET', P .. 'delivery:' .. identity, 'head'))
    for _, result in ipairs(call('HVALS', P .. 'results:' .. identity)) do
      look(result)
    end
  end
end
return found
