"""Alembic's entry: the connection comes from migrate(); nothing is read from files."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True)
context.run_migrations()
