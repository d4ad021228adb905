"""What is told to others when an analysis has ended: to whom, in which form, until it is heard."""
