"""The engine: how a record on a topic becomes effects that happen once.

One event passes eight steps, each a module, in this order:

1. `records`     Record → Envelope: limits, parsing; what is no CloudEvent becomes a dead letter.
2. `routing`     Route: subscriptions turn the envelope's topic into AgentIds; envelope x AgentId = one delivery.
3. `intake`      Intake: one journal transaction stores the batch, its watermarks and starts free lanes.
4. `activation`  Activate: the agent is made, or taken from memory, at exactly the version the journal names.
5. `dispatch`    Run the handler: one attempt; every outside call in it is a step (`turn`, `steps`).
6. `writer`      Commit: delivery, state, outbox and answer in one transaction, turns that end together as a group.
7. `outbox`      Publish: committed rows go out in order and are acknowledged.
8. `lanes`       Next: the lane's next delivery, fair among lanes; slots, taking, giving back.

Around them: `partitions` (leases and reading), `liveness` (beats, burial, the fence before outside calls),
`retries` and `deadletters` (what a failure means), `incarnation` (one life of a process), `host` (lives one after
another), `runtime` (the AgentRuntime over all this), `service` (a deployed process).

Between processes: `listener` (what is addressed to this one), `requests` and `callers` (asking, inside and outside of
turns), `faults` (errors that travel), `control` and `mail` (commands applied, holders told), `control_client` (giving
commands), `run_facts` (what everybody may know of a run), `connections` (all of these, once per process).
"""
