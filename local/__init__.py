"""The service on one machine: DynamoDB, routes, streams and schedules as template.yaml describes them."""
