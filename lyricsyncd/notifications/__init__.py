"""Send messages about what was done."""
