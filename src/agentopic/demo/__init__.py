"""The main job on real data: three services, a publisher and a subscriber from outside, a worker killed on purpose."""
