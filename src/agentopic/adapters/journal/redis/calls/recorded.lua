local shown = {}
for i, step in ipairs(steps.of(word())) do
  shown[i] = steps.show(step, false)
end
return shown
