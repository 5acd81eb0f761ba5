"""Run functions in child processes with limits of time and memory, which the parent outlives."""
