"""Reading bodies: JSON, forms, batches, and the fields of an event. All dialects share it."""
