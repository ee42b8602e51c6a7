"""Who is outside: a publisher and a subscriber as another team would write them, programs without agentopic."""
