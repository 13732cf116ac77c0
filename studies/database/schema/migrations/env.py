"""Run by Alembic for every migration, inside the transaction that the caller has opened."""

from alembic import context

from studies.database.schema.migrate import VERSION_TABLE
from studies.database.schema.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
