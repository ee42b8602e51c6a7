-- Notes the version of the layout where none is stored; returns the stored one.
local version = word()
call('SET', P .. 'version', version, 'NX')
return tonumber(call('GET', P .. 'version'))
