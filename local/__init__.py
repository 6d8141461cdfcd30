"""The laptop edition: embedded Postgres, S3 and SQS, and a host for the function folders."""
