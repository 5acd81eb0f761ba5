"""The settings: schema, values, reading, the example file, and where things lie."""
