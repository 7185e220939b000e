"""What is printed: documents made from values, for people who keep or file them."""
