"""The service: analyses over HTTP, for whatever drives a rollout."""
