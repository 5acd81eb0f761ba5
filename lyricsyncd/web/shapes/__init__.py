"""Define the JSON of requests and answers: models that validate the former and document both."""
