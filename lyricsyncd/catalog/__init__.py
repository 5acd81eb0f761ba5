"""Keep what is known of every song: the only durable truth, and the only SQL."""
