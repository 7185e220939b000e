"""What the office decides."""
