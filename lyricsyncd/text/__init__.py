"""Compare names, tell languages, and part lines into words: text alone, no look-ups."""
