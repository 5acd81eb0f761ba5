"""Take songs through the stages: the runner, its policy, and the processes with the models."""
