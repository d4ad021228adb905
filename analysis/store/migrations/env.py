"""What Alembic runs: the steps, on the connection that it was given."""

from alembic import context

from analysis.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
