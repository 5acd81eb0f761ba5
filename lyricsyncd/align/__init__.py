"""Placing known words on audio: emissions × lexicon × one search."""
