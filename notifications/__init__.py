"""What is said. Knows no table and no flow."""
