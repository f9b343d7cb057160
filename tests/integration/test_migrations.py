"""The migrations make the tables that the code thinks there are, and can be taken back."""

from alembic import command
from sqlalchemy import inspect

from resources import migrations
from resources.embedded_postgres import EmbeddedPostgres
from resources.store.database import engine_for


def test_tables_in_code_and_migrations_agree_and_can_be_taken_back(postgres: EmbeddedPostgres) -> None:
    engine = engine_for(postgres.owner_url("verbatim"))
    migrations.upgrade(engine)
    migrations.check(engine)
    migrations.upgrade(engine)
    with engine.connect() as connection:
        command.downgrade(migrations.config_for(connection), "base")
        connection.commit()
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrations.upgrade(engine)
    migrations.check(engine)
    engine.dispose()


def test_video_consultations_has_what_the_business_asked_for(postgres: EmbeddedPostgres) -> None:
    engine = engine_for(postgres.owner_url("template"))
    columns = {column["name"]: column for column in inspect(engine).get_columns("video_consultations")}
    engine.dispose()
    asked = (
        "id customer_id agent_id partner_id room_name consultation_type quote_id claim_id ai_handled escalated_to_human started_at ended_at"
        " duration_seconds recording_url transcript ai_summary agent_notes customer_rating created_at archived room_sid jurisdictions"
    )
    assert set(asked.split()) <= set(columns)
    assert all(getattr(columns[name]["type"], "timezone", False) for name in ("started_at", "ended_at", "created_at"))
