"""What is right: standard library only; no clock, no database, no network."""
