local found = {}
for i, scope in ipairs(list(word)) do
  found[i] = spending.show(scope)
end
return found
