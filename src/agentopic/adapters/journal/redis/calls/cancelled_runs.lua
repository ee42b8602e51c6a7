return call('ZRANGEBYSCORE', P .. 'cancelled_runs', '(' .. int(now - number()), '+inf')
