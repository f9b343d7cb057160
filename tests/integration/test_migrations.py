"""The migrations make the tables that the code thinks there are, and can be taken back."""

from alembic import command
from sqlalchemy import inspect, text

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


def test_what_livekit_would_not_record_has_a_word_of_its_own(postgres: EmbeddedPostgres) -> None:
    engine = engine_for(postgres.owner_url("verbatim"))
    migrations.upgrade(engine)
    row = "INSERT INTO video_consultations (id, room_name, consultation_type, recording_reason) VALUES (gen_random_uuid(), :why, 'claims', :why)"
    with engine.connect() as connection:
        command.downgrade(migrations.config_for(connection), "0012")
        for why in ("refused", "refused (order 1), lost (order 2), refused (order 3)", "no_consent"):
            connection.execute(text(row), {"why": why})
        connection.commit()
    migrations.upgrade(engine)
    with engine.connect() as connection:
        found = connection.scalars(text("SELECT recording_reason FROM video_consultations ORDER BY room_name")).all()
    engine.dispose()
    assert found == ["no_consent", "livekit_refused", "livekit_refused (order 1), lost (order 2), livekit_refused (order 3)"]


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
