"""What guards share: what they look at, what they say, and how they are found."""
