"""What is kept. The only folder that writes SQL."""
