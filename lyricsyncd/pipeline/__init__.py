"""The order of the stages of one song."""
