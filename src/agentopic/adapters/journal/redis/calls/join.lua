local address, groups = word(), list(word)
return tonumber(processes.enter(groups, address))
