"""Teams: the messages inside them, the manager, the containers of participants, and one module per kind of team."""
