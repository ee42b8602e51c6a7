local counts = { call('HLEN', P .. 'rows') }
for _, group in ipairs(list(word)) do
  local row = call('HMGET', P .. 'counts', 'deliveries:' .. group, 'unsent:' .. group, 'begun:' .. group)
  for i = 1, 3 do
    counts[#counts + 1] = tonumber(row[i] or 0)
  end
end
return counts
