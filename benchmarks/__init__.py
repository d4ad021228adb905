"""What the judges are worth: error rates (`calibrate`) and speed (`python -m benchmarks`)."""
