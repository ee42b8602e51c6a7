local me, refusal = processes.caller()
if refusal then
  return refusal
end
for _, entry in ipairs(list(spending.read)) do
  spending.add(entry)
end
return 0
