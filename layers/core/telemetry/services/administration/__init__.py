"""What staff administer. Each change is written to the audit log in the same transaction."""
