"""What staff do: products, customers, licences, API keys. Every change goes into the audit log with it."""
