"""Process-lived agents: objects and closures that hear and answer on the mesh for as long as their process lives."""
